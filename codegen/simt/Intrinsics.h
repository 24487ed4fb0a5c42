//===- Intrinsics.h - NVPTX's intrinsics in the simulator -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_INTRINSICS_H
#define MAMBA_CODEGEN_SIMT_INTRINSICS_H

#include "codegen/simt/HostKernel.h"

#include "llvm/IR/Instructions.h"

namespace mlir::ssm {

/// What an intrinsic asks of the simulator.
struct SimtIntrinsic {
  enum class Kind : uint8_t {
    Register,     ///< `detail` is a Register.
    Math,         ///< `detail` is the offset of a service on floats.
    Barrier,      ///< Of all threads.
    BarrierCount, ///< Of as many threads as the second operand says.
    WarpSync,
    Shuffle, ///< `detail` is a SiteKind, as below.
    Vote,
    PhaseInit,
    PhaseArrive,
    PhaseWait,
    Copy, ///< Its accesses are watched by themselves.
    CopyCommit,
    CopyWait
  };
  StringLiteral name;
  Kind kind;
  uint32_t detail = 0;

  /// What reports call it; only for kinds that may wait.
  mamba::simt::SiteKind siteKind() const;
  bool isCopy() const { return kind == Kind::Copy; }
  /// That its address must have; 1 where it has none.
  unsigned alignment() const { return kind >= Kind::PhaseInit ? 8 : 1; }
  bool isWatched() const {
    return kind != Kind::Register && kind != Kind::Math && kind < Kind::Copy;
  }
};

/// The intrinsic that `call` calls; null if the simulator does not know it.
const SimtIntrinsic *findSimtIntrinsic(const llvm::CallInst &call);

/// Replaces `call` of `intrinsic`. `site` is null where nothing is watched.
void lowerSimtIntrinsic(HostKernel &kernel, const SimtIntrinsic &intrinsic,
                        llvm::CallInst &call, llvm::Constant *site);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_INTRINSICS_H
