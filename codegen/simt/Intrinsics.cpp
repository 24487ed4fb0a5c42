//===- Intrinsics.cpp - NVPTX's intrinsics in the simulator ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One table: to add an intrinsic, add a line, and a service where none fits.
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/Intrinsics.h"

#include "runtime/simt/Copies.h"

#include "llvm/IR/Function.h"

using namespace mlir;
using namespace mlir::ssm;
using mamba::simt::Register;
using mamba::simt::Services;
using mamba::simt::SiteKind;
using mamba::simt::Thread;
using Kind = SimtIntrinsic::Kind;

static constexpr uint32_t number(Register which) {
  return static_cast<uint32_t>(which);
}
static constexpr uint32_t number(SiteKind kind) {
  return static_cast<uint32_t>(kind);
}

static constexpr SimtIntrinsic kIntrinsics[] = {
    {"read.ptx.sreg.tid.x", Kind::Register, number(Register::TidX)},
    {"read.ptx.sreg.tid.y", Kind::Register, number(Register::TidY)},
    {"read.ptx.sreg.tid.z", Kind::Register, number(Register::TidZ)},
    {"read.ptx.sreg.ntid.x", Kind::Register, number(Register::NtidX)},
    {"read.ptx.sreg.ntid.y", Kind::Register, number(Register::NtidY)},
    {"read.ptx.sreg.ntid.z", Kind::Register, number(Register::NtidZ)},
    {"read.ptx.sreg.ctaid.x", Kind::Register, number(Register::CtaidX)},
    {"read.ptx.sreg.ctaid.y", Kind::Register, number(Register::CtaidY)},
    {"read.ptx.sreg.ctaid.z", Kind::Register, number(Register::CtaidZ)},
    {"read.ptx.sreg.nctaid.x", Kind::Register, number(Register::NctaidX)},
    {"read.ptx.sreg.nctaid.y", Kind::Register, number(Register::NctaidY)},
    {"read.ptx.sreg.nctaid.z", Kind::Register, number(Register::NctaidZ)},
    {"read.ptx.sreg.laneid", Kind::Register, number(Register::LaneId)},
    {"read.ptx.sreg.warpsize", Kind::Register, number(Register::WarpSize)},

    {"ex2.approx.ftz.f", Kind::Math, offsetof(Services, exp2)},
    {"ex2.approx.ftz.f32", Kind::Math, offsetof(Services, exp2)},
    {"lg2.approx.ftz.f", Kind::Math, offsetof(Services, log2)},
    {"rcp.approx.ftz.f", Kind::Math, offsetof(Services, reciprocal)},
    {"sqrt.approx.ftz.f", Kind::Math, offsetof(Services, squareRoot)},
    {"rsqrt.approx.ftz.f", Kind::Math,
     offsetof(Services, reciprocalSquareRoot)},

    {"barrier.cta.sync.all", Kind::Barrier},
    {"barrier.cta.sync.aligned.all", Kind::Barrier},
    {"barrier.cta.sync.count", Kind::BarrierCount},
    {"barrier.cta.sync.aligned.count", Kind::BarrierCount},
    {"bar.warp.sync", Kind::WarpSync},

    {"shfl.sync.up.f32", Kind::Shuffle, number(SiteKind::ShuffleUp)},
    {"shfl.sync.up.f32p", Kind::Shuffle, number(SiteKind::ShuffleUp)},
    {"shfl.sync.up.i32", Kind::Shuffle, number(SiteKind::ShuffleUp)},
    {"shfl.sync.up.i32p", Kind::Shuffle, number(SiteKind::ShuffleUp)},
    {"shfl.sync.down.f32", Kind::Shuffle, number(SiteKind::ShuffleDown)},
    {"shfl.sync.down.f32p", Kind::Shuffle, number(SiteKind::ShuffleDown)},
    {"shfl.sync.down.i32", Kind::Shuffle, number(SiteKind::ShuffleDown)},
    {"shfl.sync.down.i32p", Kind::Shuffle, number(SiteKind::ShuffleDown)},
    {"shfl.sync.bfly.f32", Kind::Shuffle, number(SiteKind::ShuffleButterfly)},
    {"shfl.sync.bfly.f32p", Kind::Shuffle, number(SiteKind::ShuffleButterfly)},
    {"shfl.sync.bfly.i32", Kind::Shuffle, number(SiteKind::ShuffleButterfly)},
    {"shfl.sync.bfly.i32p", Kind::Shuffle, number(SiteKind::ShuffleButterfly)},
    {"shfl.sync.idx.f32", Kind::Shuffle, number(SiteKind::ShuffleIndex)},
    {"shfl.sync.idx.f32p", Kind::Shuffle, number(SiteKind::ShuffleIndex)},
    {"shfl.sync.idx.i32", Kind::Shuffle, number(SiteKind::ShuffleIndex)},
    {"shfl.sync.idx.i32p", Kind::Shuffle, number(SiteKind::ShuffleIndex)},

    {"vote.all.sync", Kind::Vote, number(SiteKind::VoteAll)},
    {"vote.any.sync", Kind::Vote, number(SiteKind::VoteAny)},
    {"vote.uni.sync", Kind::Vote, number(SiteKind::VoteUniform)},
    {"vote.ballot.sync", Kind::Vote, number(SiteKind::VoteBallot)},

    {"mbarrier.init.shared", Kind::PhaseInit},
    {"mbarrier.arrive.shared", Kind::PhaseArrive},
    {"mbarrier.try.wait.parity.scope.cta.space.cta", Kind::PhaseWait},

    {"cp.async.cg.shared.global.16", Kind::Copy},
    {"cp.async.cg.shared.global.16.s", Kind::Copy},
    {"cp.async.commit.group", Kind::CopyCommit},
    {"cp.async.wait.group", Kind::CopyWait},
};

SiteKind SimtIntrinsic::siteKind() const {
  if (kind == Kind::WarpSync)
    return SiteKind::WarpSync;
  if (kind == Kind::Shuffle || kind == Kind::Vote)
    return static_cast<SiteKind>(detail);
  if (kind == Kind::PhaseInit)
    return SiteKind::PhaseInit;
  if (kind == Kind::PhaseArrive)
    return SiteKind::PhaseArrive;
  return kind == Kind::PhaseWait ? SiteKind::PhaseWait : SiteKind::Barrier;
}

const SimtIntrinsic *mlir::ssm::findSimtIntrinsic(const llvm::CallInst &call) {
  const llvm::Function *callee = call.getCalledFunction();
  StringRef name = callee ? callee->getName() : "";
  if (!name.consume_front("llvm.nvvm."))
    return nullptr;
  for (const SimtIntrinsic &intrinsic : kIntrinsics)
    if (intrinsic.name == name)
      return &intrinsic;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

/// The result of a shuffle, of the type that `call` has: the word, or the word
/// and whether its lane was in range.
static llvm::Value *unpackShuffle(llvm::IRBuilder<> &b, llvm::CallInst &call,
                                  llvm::Value *packed) {
  auto *pair = dyn_cast<llvm::StructType>(call.getType());
  llvm::Type *type = pair ? pair->getElementType(0) : call.getType();
  llvm::Value *word =
      b.CreateBitCast(b.CreateTrunc(packed, b.getInt32Ty()), type);
  if (!pair)
    return word;
  llvm::Value *isInRange =
      b.CreateTrunc(b.CreateLShr(packed, 32), b.getInt1Ty());
  llvm::Value *both =
      b.CreateInsertValue(llvm::PoisonValue::get(pair), word, 0);
  return b.CreateInsertValue(both, isInRange, 1);
}

static llvm::Value *lowerShuffle(HostKernel &kernel, llvm::IRBuilder<> &b,
                                 llvm::CallInst &call, llvm::Constant *site) {
  llvm::Value *word = b.CreateBitCast(call.getArgOperand(1), b.getInt32Ty());
  llvm::Value *packed =
      kernel.callService(b, offsetof(Services, shuffle), b.getInt64Ty(),
                         {kernel.thread(), call.getArgOperand(0), word,
                          call.getArgOperand(2), call.getArgOperand(3), site});
  return unpackShuffle(b, call, packed);
}

static llvm::Value *lowerVote(HostKernel &kernel, llvm::IRBuilder<> &b,
                              llvm::CallInst &call, llvm::Constant *site) {
  llvm::Value *predicate = b.CreateZExt(call.getArgOperand(1), b.getInt32Ty());
  llvm::Value *votes = kernel.callService(
      b, offsetof(Services, vote), b.getInt32Ty(),
      {kernel.thread(), call.getArgOperand(0), predicate, site});
  return b.CreateTrunc(votes, call.getType());
}

static llvm::Value *lowerBarrier(HostKernel &kernel, llvm::IRBuilder<> &b,
                                 llvm::CallInst &call, llvm::Value *count,
                                 llvm::Constant *site) {
  return kernel.callService(
      b, offsetof(Services, barrier), b.getVoidTy(),
      {kernel.thread(), call.getArgOperand(0), count, site});
}

/// A service of the mbarrier that is the first operand; it waits itself.
static llvm::Value *lowerPhases(HostKernel &kernel, llvm::IRBuilder<> &b,
                                const SimtIntrinsic &intrinsic,
                                llvm::CallInst &call, llvm::Constant *site) {
  llvm::Value *address =
      b.CreateAddrSpaceCast(call.getArgOperand(0), b.getPtrTy());
  auto callService = [&](size_t service, ArrayRef<llvm::Value *> operands) {
    return kernel.callService(b, service, b.getVoidTy(), operands);
  };
  if (intrinsic.kind == Kind::PhaseInit)
    return callService(offsetof(Services, initPhases),
                       {kernel.thread(), address, call.getArgOperand(1), site});
  if (intrinsic.kind == Kind::PhaseArrive) {
    callService(offsetof(Services, arrive), {kernel.thread(), address, site});
    // What it gives names the phase, which kernels count themselves.
    return llvm::PoisonValue::get(call.getType());
  }
  callService(offsetof(Services, waitForPhase),
              {kernel.thread(), address, call.getArgOperand(1), site});
  return b.getTrue();
}

static llvm::Value *lowerCopy(HostKernel &kernel, llvm::IRBuilder<> &b,
                              llvm::CallInst &call) {
  auto hostPointer = [&](unsigned operand) {
    return b.CreateAddrSpaceCast(call.getArgOperand(operand), b.getPtrTy());
  };
  constexpr unsigned kSize = 2;
  llvm::Value *bytes = call.arg_size() > kSize
                           ? call.getArgOperand(kSize)
                           : b.getInt32(mamba::simt::Copies::kBytes);
  return kernel.callService(
      b, offsetof(Services, copy), b.getVoidTy(),
      {kernel.thread(), hostPointer(0), hostPointer(1), bytes});
}

static llvm::Value *lower(HostKernel &kernel, llvm::IRBuilder<> &b,
                          const SimtIntrinsic &intrinsic, llvm::CallInst &call,
                          llvm::Constant *site) {
  switch (intrinsic.kind) {
  case Kind::Register:
    return kernel.loadField(b, b.getInt32Ty(),
                            offsetof(Thread, registers) +
                                sizeof(uint32_t) * intrinsic.detail);
  case Kind::Math:
    return kernel.callService(b, intrinsic.detail, b.getFloatTy(),
                              {call.getArgOperand(0)});
  case Kind::Barrier:
    return lowerBarrier(kernel, b, call, b.getInt32(0), site);
  case Kind::BarrierCount:
    return lowerBarrier(kernel, b, call, call.getArgOperand(1), site);
  case Kind::WarpSync:
    return kernel.callService(b, offsetof(Services, warpSync), b.getVoidTy(),
                              {kernel.thread(), call.getArgOperand(0), site});
  case Kind::Shuffle:
    return lowerShuffle(kernel, b, call, site);
  case Kind::Vote:
    return lowerVote(kernel, b, call, site);
  case Kind::PhaseInit:
  case Kind::PhaseArrive:
  case Kind::PhaseWait:
    return lowerPhases(kernel, b, intrinsic, call, site);
  case Kind::Copy:
    return lowerCopy(kernel, b, call);
  case Kind::CopyCommit:
    return kernel.callService(b, offsetof(Services, commitCopies),
                              b.getVoidTy(), {kernel.thread()});
  case Kind::CopyWait:
    return kernel.callService(b, offsetof(Services, finishCopies),
                              b.getVoidTy(),
                              {kernel.thread(), call.getArgOperand(0)});
  }
  llvm_unreachable("every kind is lowered");
}

void mlir::ssm::lowerSimtIntrinsic(HostKernel &kernel,
                                   const SimtIntrinsic &intrinsic,
                                   llvm::CallInst &call, llvm::Constant *site) {
  llvm::IRBuilder<> b(&call);
  llvm::Value *result = lower(kernel, b, intrinsic, call, site);
  if (!call.getType()->isVoidTy())
    call.replaceAllUsesWith(result);
  call.eraseFromParent();
}
