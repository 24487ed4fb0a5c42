//===- Match.cpp - Ops of a lowered module by what they do ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the lowering promises its readers: the loop over tiles counts in i64 and
// all others in i32; loops over states start from 0, loops that deal items from
// the thread's number.
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Match.h"

#include "codegen/LaunchPlan.h"
#include "test/e2e/numerics/FarTensor.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kArgumentName = "mutation.name";

static std::string nameOf(const mamba::KernelArg &arg,
                          const mamba::Artifact &plan) {
  switch (arg.kind) {
  case mamba::KernelArg::Kind::Pointer:
    return mamba::numerics::tensorName(plan, arg.index);
  case mamba::KernelArg::Kind::Stride:
    return mamba::numerics::tensorName(plan, arg.index) + "." +
           std::to_string(arg.dim);
  case mamba::KernelArg::Kind::Extent:
    return mamba::Axis(arg.dim) == mamba::Axis::Length ? "extent.l"
                                                       : "extent.d";
  }
  llvm_unreachable("a kind of argument");
}

LogicalResult mutation::nameArguments(ModuleOp module) {
  FailureOr<mamba::Artifact> plan = LaunchPlan::read(module);
  if (failed(plan))
    return failure();
  Builder b(module.getContext());
  module.walk([&](gpu::GPUFuncOp kernel) {
    for (const mamba::LaunchSpec &launch : plan->launches)
      if (kernel.getName() == launch.entry)
        for (auto [i, arg] : llvm::enumerate(launch.args))
          kernel.setArgAttr(i, kArgumentName,
                            b.getStringAttr(nameOf(arg, *plan)));
  });
  return success();
}

void mutation::forgetArguments(ModuleOp module) {
  module.walk([](gpu::GPUFuncOp kernel) {
    for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
      kernel.removeArgAttr(i, kArgumentName);
  });
}

StringRef mutation::argumentName(Value value) {
  auto argument = dyn_cast_if_present<BlockArgument>(value);
  auto kernel =
      argument ? dyn_cast<gpu::GPUFuncOp>(argument.getOwner()->getParentOp())
               : gpu::GPUFuncOp();
  if (!kernel)
    return "";
  auto name = kernel.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                  kArgumentName);
  return name ? name.getValue() : "";
}

Value mutation::rootOf(Value address) {
  while (auto step = from<LLVM::GEPOp>(address))
    address = step.getBase();
  return address;
}

int64_t mutation::sharedTable(Value address) {
  auto step = from<LLVM::GEPOp>(address);
  while (step && from<LLVM::GEPOp>(step.getBase())) {
    address = step.getBase();
    step = from<LLVM::GEPOp>(address);
  }
  if (!from<LLVM::AddressOfOp>(rootOf(address)))
    return -1;
  // Words of the first table are found without a step to it.
  if (!step || !step.getDynamicIndices().empty())
    return 0;
  return step.getRawConstantIndices().front();
}

Value mutation::addressOf(Operation *op) {
  if (auto load = dyn_cast<LLVM::LoadOp>(op))
    return load.getAddr();
  if (auto store = dyn_cast<LLVM::StoreOp>(op))
    return store.getAddr();
  return nullptr;
}

bool mutation::isThreadId(Value value) {
  auto cast = from<arith::IndexCastOp>(value);
  return cast && from<gpu::ThreadIdOp>(cast.getIn());
}

Operation *mutation::before(Operation *op) {
  do
    op = op->getPrevNode();
  while (isa_and_present<arith::ConstantOp>(op));
  return op;
}

Operation *mutation::after(Operation *op) {
  do
    op = op->getNextNode();
  while (isa_and_present<arith::ConstantOp>(op));
  return op;
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

static Part partOf(Operation *op) {
  StringRef name = op->getParentOfType<gpu::GPUFuncOp>().getName();
  name = name.rtrim("0123456789");
  return llvm::StringSwitch<Part>(name.substr(name.rfind('_')))
      .Case("_carries", Part::Carries)
      .Case("_chunks", Part::Chunks)
      .Case("_checkpoints", Part::Checkpoints)
      .Case("_totals", Part::Totals)
      .Default(Part::Main);
}

Test mutation::in(Part part) {
  return [part](Operation *op) {
    return op->getParentOfType<gpu::GPUFuncOp>() && partOf(op) == part;
  };
}

Test mutation::inGradient() {
  return [](Operation *op) {
    auto kernel = op->getParentOfType<gpu::GPUFuncOp>();
    return kernel && kernel.getName().contains("_backward");
  };
}

Test mutation::atTop() {
  return [](Operation *op) { return isa<gpu::GPUFuncOp>(op->getParentOp()); };
}

/// True if a loop around `op` is one that `isLoop` takes.
static bool isWithin(Operation *op, function_ref<bool(scf::ForOp)> isLoop) {
  for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
       loop = loop->getParentOfType<scf::ForOp>())
    if (isLoop(loop))
      return true;
  return false;
}

static bool hasTiles(Operation *op) {
  Part part = partOf(op);
  return part != Part::Chunks && part != Part::Totals;
}

static bool isTileLoop(scf::ForOp loop) {
  return loop.getInductionVar().getType().isInteger(64) && hasTiles(loop);
}

static bool isStateLoop(scf::ForOp loop) {
  return isWithin(loop, isTileLoop) &&
         matchPattern(loop.getLowerBound(), m_Zero());
}

static bool isSweepLoop(scf::ForOp loop) {
  return isWithin(loop, isTileLoop) && isThreadId(loop.getLowerBound());
}

Test mutation::inTiles() {
  return [](Operation *op) { return isWithin(op, isTileLoop); };
}
Test mutation::inStates() {
  return [](Operation *op) { return isWithin(op, isStateLoop); };
}
Test mutation::inSweep() {
  return [](Operation *op) { return isWithin(op, isSweepLoop); };
}

/// The op of the kernel's own block that holds the loop over tiles.
static Operation *tilesOf(Operation *op) {
  auto kernel = op->getParentOfType<gpu::GPUFuncOp>();
  Operation *found = nullptr;
  if (kernel && hasTiles(op))
    kernel.walk([&](scf::ForOp loop) {
      if (isTileLoop(loop))
        found = kernel.getBody().findAncestorOpInRegion(*loop);
    });
  return found;
}

static Operation *topOf(Operation *op) {
  auto kernel = op->getParentOfType<gpu::GPUFuncOp>();
  return kernel.getBody().findAncestorOpInRegion(*op);
}

Test mutation::beforeTiles() {
  return [](Operation *op) {
    Operation *tiles = tilesOf(op);
    return tiles && topOf(op)->isBeforeInBlock(tiles);
  };
}
Test mutation::afterTiles() {
  return [](Operation *op) {
    Operation *tiles = tilesOf(op);
    return tiles && tiles->isBeforeInBlock(topOf(op));
  };
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Test mutation::onShared() {
  return [](Operation *op) {
    Value address = addressOf(op);
    return address && sharedTable(address) >= 0;
  };
}

Test mutation::onTensor(StringRef name) {
  return [name](Operation *op) {
    Value address = addressOf(op);
    return address && argumentName(rootOf(address)) == name;
  };
}

/// Carries are what is written last before the first tile.
static int64_t carryTableOf(gpu::GPUFuncOp kernel) {
  Test isInitial = beforeTiles() && onShared() && stores();
  int64_t table = -1;
  kernel.walk([&](LLVM::StoreOp store) {
    if (isInitial(store))
      table = sharedTable(store.getAddr());
  });
  return table;
}

Test mutation::onCarries() {
  return [](Operation *op) {
    return onShared()(op) &&
           sharedTable(addressOf(op)) ==
               carryTableOf(op->getParentOfType<gpu::GPUFuncOp>());
  };
}

Test mutation::loads() { return is<LLVM::LoadOp>(); }
Test mutation::stores() { return is<LLVM::StoreOp>(); }

Test mutation::ofVector() {
  return [](Operation *op) {
    if (auto load = dyn_cast<LLVM::LoadOp>(op))
      return isa<VectorType>(load.getType());
    auto store = dyn_cast<LLVM::StoreOp>(op);
    return store && isa<VectorType>(store.getValue().getType());
  };
}

Test mutation::takes(StringRef argument) {
  return [argument](Operation *op) {
    return llvm::any_of(op->getOperands(), [&](Value value) {
      return argumentName(value) == argument;
    });
  };
}

Test mutation::operand(unsigned i, Test test) {
  return [i, test](Operation *op) {
    Operation *source =
        i < op->getNumOperands() ? op->getOperand(i).getDefiningOp() : nullptr;
    return source && test(source);
  };
}

Test mutation::constantOperand(unsigned i) {
  return operand(i, is<arith::ConstantOp>());
}

Test mutation::constantOperand(unsigned i, double value) {
  return operand(i, [value](Operation *op) {
    auto constant = dyn_cast<arith::ConstantOp>(op);
    if (!constant)
      return false;
    if (auto integer = dyn_cast<IntegerAttr>(constant.getValue()))
      return static_cast<double>(integer.getInt()) == value;
    auto real = dyn_cast<FloatAttr>(constant.getValue());
    return real && std::abs(real.getValueAsDouble() - value) < 1e-6;
  });
}

Test mutation::operandIsThread(unsigned i) {
  return [i](Operation *op) {
    return i < op->getNumOperands() && isThreadId(op->getOperand(i));
  };
}

Test mutation::operandIsCarried(unsigned i) {
  return [i](Operation *op) {
    auto argument = i < op->getNumOperands()
                        ? dyn_cast<BlockArgument>(op->getOperand(i))
                        : BlockArgument();
    auto loop = argument
                    ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp())
                    : scf::ForOp();
    return loop && argument != loop.getInductionVar();
  };
}

Test mutation::inFrontOf(Test test) {
  return [test](Operation *op) {
    Operation *next = after(op);
    return next && test(next);
  };
}

Test mutation::behind(Test test) {
  return [test](Operation *op) {
    Operation *last = before(op);
    return last && test(last);
  };
}

Test mutation::pointsInto(StringRef name) {
  return [name](Operation *op) {
    auto step = dyn_cast<LLVM::GEPOp>(op);
    return step && argumentName(rootOf(step)) == name;
  };
}

Test mutation::givesInteger(unsigned bits) {
  return [bits](Operation *op) {
    return op->getNumResults() == 1 &&
           op->getResult(0).getType().isInteger(bits);
  };
}

Test mutation::asks(arith::CmpIPredicate predicate) {
  return [predicate](Operation *op) {
    auto comparison = dyn_cast<arith::CmpIOp>(op);
    return comparison && comparison.getPredicate() == predicate;
  };
}

Test mutation::guardsStore() {
  return [](Operation *op) {
    bool found = false;
    for (Operation *user : op->getUsers())
      if (auto branch = dyn_cast<scf::IfOp>(user))
        branch.walk([&](LLVM::StoreOp store) { found |= !onShared()(store); });
    return found;
  };
}

//===----------------------------------------------------------------------===//
// Sweeps and barriers
//===----------------------------------------------------------------------===//

/// How often the loop `op` loads from shared memory for each of its stores: 2
/// in an up-sweep, 1 in a down-sweep; 0 where it is neither.
static int64_t loadsPerStore(Operation *op) {
  auto loop = dyn_cast_if_present<scf::ForOp>(op);
  if (!loop || !isSweepLoop(loop))
    return 0;
  int64_t loaded = 0, stored = 0;
  loop.walk([&](Operation *nested) {
    loaded += (loads() && onShared())(nested);
    stored += (stores() && onShared())(nested);
  });
  return stored == 0 ? 0 : loaded / stored;
}

static bool isUpSweep(Operation *op) { return loadsPerStore(op) == 2; }
static bool isDownSweep(Operation *op) { return loadsPerStore(op) == 1; }

Test mutation::stateLoop() {
  return [](Operation *op) {
    auto loop = dyn_cast<scf::ForOp>(op);
    return loop && isStateLoop(loop);
  };
}
Test mutation::upSweep() { return isUpSweep; }
Test mutation::downSweep() { return isDownSweep; }
Test mutation::inDownSweep() {
  return [](Operation *op) { return isDownSweep(op->getParentOp()); };
}

static bool writesShared(Operation *op) {
  bool found = false;
  op->walk([&](LLVM::StoreOp store) { found |= onShared()(store); });
  return found;
}

/// True if the ops between `barrier` and the one before it write shared memory.
static bool followsWrite(Operation *barrier) {
  for (Operation *op = before(barrier); op && !isa<gpu::BarrierOp>(op);
       op = before(op))
    if (writesShared(op))
      return true;
  return false;
}

/// The next barrier in the block, or null.
static Operation *nextBarrier(Operation *op) {
  do
    op = op->getNextNode();
  while (op && !isa<gpu::BarrierOp>(op));
  return op;
}

static Wait waitOf(Operation *barrier) {
  if (atTop()(barrier))
    return Wait::TilesDone;
  Operation *last = before(barrier), *next = after(barrier);
  if (isUpSweep(last))
    return isUpSweep(next) ? Wait::UpLevel : Wait::UpDone;
  if (isDownSweep(last))
    return isDownSweep(next) ? Wait::DownLevel : Wait::DownDone;
  if (isUpSweep(next))
    return Wait::Totals;
  if (isDownSweep(next))
    return Wait::RootCleared;
  if (followsWrite(barrier))
    return inStates()(barrier) ? Wait::WarpsMeet : Wait::Staged;
  Operation *following = nextBarrier(barrier);
  return following && waitOf(following) == Wait::Staged ? Wait::StagedRead
                                                        : Wait::Carries;
}

Test mutation::barrier(Wait wait) {
  return [wait](Operation *op) {
    return isa<gpu::BarrierOp>(op) && waitOf(op) == wait;
  };
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

Pick mutation::each(Test test) {
  return [test](ModuleOp module) {
    Ops ops;
    module.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op->getParentOfType<gpu::GPUFuncOp>() && test(op))
        ops.push_back(op);
    });
    return ops;
  };
}

Pick mutation::nth(unsigned n, Test test) {
  return [n, test](ModuleOp module) {
    Ops ops = each(test)(module);
    return n < ops.size() ? Ops{ops[n]} : Ops();
  };
}

Pick mutation::first(Test test) { return nth(0, test); }

Pick mutation::last(Test test) {
  return [test](ModuleOp module) {
    Ops ops = each(test)(module);
    return ops.empty() ? Ops() : Ops{ops.back()};
  };
}
