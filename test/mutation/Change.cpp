//===- Change.cpp - Defects as changes of ops -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Change.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

Change mutation::on(Pick pick, Action action) {
  return [pick = std::move(pick), action = std::move(action)](ModuleOp module) {
    bool changed = false;
    for (Operation *op : pick(module))
      changed |= action(op);
    return changed;
  };
}

Change mutation::both(Change a, Change b) {
  return [a = std::move(a), b = std::move(b)](ModuleOp module) {
    return a(module) && b(module);
  };
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// `value` as a constant of `type`; in each element of a vector.
static Value constantOf(OpBuilder &b, Location loc, Type type, double value) {
  Type scalar = getElementTypeOrSelf(type);
  TypedAttr attr = isa<FloatType>(scalar)
                       ? TypedAttr(b.getFloatAttr(scalar, value))
                       : b.getIntegerAttr(scalar, static_cast<int64_t>(value));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}

/// The number that `value` is, if it is a constant.
static std::optional<double> numberOf(Value value) {
  auto constant = from<arith::ConstantOp>(value);
  if (!constant)
    return std::nullopt;
  if (auto integer = dyn_cast<IntegerAttr>(constant.getValue()))
    return static_cast<double>(integer.getInt());
  if (auto real = dyn_cast<FloatAttr>(constant.getValue()))
    return real.getValueAsDouble();
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Actions
//===----------------------------------------------------------------------===//

Action mutation::erase() {
  return [](Operation *op) {
    op->erase();
    return true;
  };
}

Action mutation::becomeOperand(unsigned i) {
  return [i](Operation *op) {
    op->getResult(0).replaceAllUsesWith(op->getOperand(i));
    return true;
  };
}

Action mutation::becomeConstant(double value) {
  return [value](Operation *op) {
    OpBuilder b(op);
    op->getResult(0).replaceAllUsesWith(
        constantOf(b, op->getLoc(), op->getResult(0).getType(), value));
    return true;
  };
}

Action mutation::setOperand(unsigned i,
                            std::function<Value(Operation *)> make) {
  return [i, make = std::move(make)](Operation *op) {
    Value value = make(op);
    if (!value || value == op->getOperand(i))
      return false;
    op->setOperand(i, value);
    return true;
  };
}

Action mutation::setOperand(unsigned i, double value) {
  return setOperand(i, [=](Operation *op) -> Value {
    OpBuilder b(op);
    return constantOf(b, op->getLoc(), op->getOperand(i).getType(), value);
  });
}

/// Operand `i`, which is a constant, becomes what `compute` makes of it.
static Action recompute(unsigned i, std::function<double(double)> compute) {
  return setOperand(i, [=](Operation *op) -> Value {
    std::optional<double> number = numberOf(op->getOperand(i));
    if (!number)
      return nullptr;
    OpBuilder b(op);
    return constantOf(b, op->getLoc(), op->getOperand(i).getType(),
                      compute(*number));
  });
}

Action mutation::addToOperand(unsigned i, double by) {
  return recompute(i, [by](double number) { return number + by; });
}

Action mutation::scaleOperand(unsigned i, double by) {
  return recompute(i, [by](double number) { return number * by; });
}

Action mutation::useOperand(unsigned i, unsigned j) {
  return setOperand(i, [j](Operation *op) { return op->getOperand(j); });
}

Action mutation::skipOperand(unsigned i) {
  return setOperand(i, [i](Operation *op) -> Value {
    Operation *source = op->getOperand(i).getDefiningOp();
    return source && source->getNumOperands() ? source->getOperand(0) : Value();
  });
}

Action mutation::subtractOperand(unsigned i, unsigned j) {
  return setOperand(i, [i, j](Operation *op) -> Value {
    OpBuilder b(op);
    return arith::SubIOp::create(b, op->getLoc(), op->getOperand(i),
                                 op->getOperand(j));
  });
}

Action mutation::increaseOperand(unsigned i) {
  return setOperand(i, [i](Operation *op) -> Value {
    OpBuilder b(op);
    Value value = op->getOperand(i);
    Value one = constantOf(b, op->getLoc(), value.getType(), 1);
    return arith::AddIOp::create(b, op->getLoc(), value, one);
  });
}

Action mutation::compare(arith::CmpIPredicate predicate) {
  return [predicate](Operation *op) {
    auto comparison = cast<arith::CmpIOp>(op);
    comparison.setPredicate(predicate);
    return true;
  };
}

Action mutation::moveAddress(int64_t bytes) {
  return [bytes](Operation *op) {
    OpBuilder b(op);
    Value address = addressOf(op);
    Value moved = LLVM::GEPOp::create(
        b, op->getLoc(), address.getType(), b.getI8Type(), address,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
    op->replaceUsesOfWith(address, moved);
    return true;
  };
}

Action mutation::claimAlignment(int64_t bytes) {
  return [bytes](Operation *op) {
    if (auto load = dyn_cast<LLVM::LoadOp>(op))
      load.setAlignment(bytes);
    else
      cast<LLVM::StoreOp>(op).setAlignment(bytes);
    return true;
  };
}

Action mutation::narrowResult() {
  return [](Operation *op) {
    Value wide = op->getResult(0);
    if (!wide.getType().isInteger(64) || wide.use_empty())
      return false;
    OpBuilder b(op->getContext());
    b.setInsertionPointAfter(op);
    auto narrow =
        arith::TruncIOp::create(b, op->getLoc(), b.getI32Type(), wide);
    auto back = arith::ExtSIOp::create(b, op->getLoc(), b.getI64Type(), narrow);
    wide.replaceAllUsesExcept(back, narrow);
    return true;
  };
}

Action mutation::moveIntoIfBefore() {
  return [](Operation *op) {
    auto branch = dyn_cast_if_present<scf::IfOp>(before(op));
    if (branch)
      op->moveBefore(branch.thenBlock()->getTerminator());
    return bool(branch);
  };
}

Action mutation::moveIntoIfAfter() {
  return [](Operation *op) {
    for (Operation *next = op->getNextNode(); next; next = next->getNextNode())
      if (auto branch = dyn_cast<scf::IfOp>(next)) {
        op->moveBefore(&branch.thenBlock()->front());
        return true;
      }
    return false;
  };
}

Action mutation::onlyWhereCompared() {
  return [](Operation *op) {
    Operation *comparison = op->getPrevNode();
    while (comparison && !isa<arith::CmpIOp>(comparison))
      comparison = comparison->getPrevNode();
    if (!comparison)
      return false;
    OpBuilder b(op);
    Value otherwise = op->getOperand(0);
    auto branch = scf::IfOp::create(b, op->getLoc(), otherwise.getType(),
                                    comparison->getResult(0), true);
    op->getResult(0).replaceAllUsesWith(branch.getResult(0));
    b.setInsertionPointToEnd(branch.elseBlock());
    scf::YieldOp::create(b, op->getLoc(), otherwise);
    op->moveBefore(branch.thenBlock(), branch.thenBlock()->end());
    b.setInsertionPointToEnd(branch.thenBlock());
    scf::YieldOp::create(b, op->getLoc(), op->getResult(0));
    return true;
  };
}

Action mutation::blend() {
  return [](Operation *op) {
    auto select = cast<arith::SelectOp>(op);
    OpBuilder b(op);
    Location loc = op->getLoc();
    Value x = select.getTrueValue(), y = select.getFalseValue();
    Value c =
        arith::UIToFPOp::create(b, loc, x.getType(), select.getCondition());
    Value change =
        arith::MulFOp::create(b, loc, c, arith::SubFOp::create(b, loc, x, y));
    select.replaceAllUsesWith(
        arith::AddFOp::create(b, loc, y, change).getResult());
    return true;
  };
}

Action mutation::swapPair() {
  return [](Operation *op) {
    SmallVector<Value> loaded;
    op->walk([&](LLVM::LoadOp load) { loaded.push_back(load); });
    size_t half = loaded.size() / 2;
    auto otherOf = [&](Value value) -> Value {
      auto *found = llvm::find(loaded, value);
      return found == loaded.end()
                 ? value
                 : loaded[(found - loaded.begin() + half) % loaded.size()];
    };
    op->walk([&](Operation *nested) {
      if (isa<arith::MulFOp, math::FmaOp, arith::NegFOp>(nested))
        for (OpOperand &use : nested->getOpOperands())
          use.set(otherOf(use.get()));
    });
    return half > 0;
  };
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// The kernel's argument called `name`, if it has uses.
static Value findArgument(gpu::GPUFuncOp kernel, StringRef name) {
  for (Value argument : kernel.getArguments())
    if (argumentName(argument) == name && !argument.use_empty())
      return argument;
  return nullptr;
}

static Change onKernels(std::function<bool(gpu::GPUFuncOp)> change) {
  return [change = std::move(change)](ModuleOp module) {
    bool changed = false;
    module.walk([&](gpu::GPUFuncOp kernel) { changed |= change(kernel); });
    return changed;
  };
}

Change mutation::useArgument(StringRef from, StringRef to) {
  return onKernels([=](gpu::GPUFuncOp kernel) {
    Value used = findArgument(kernel, from), instead = findArgument(kernel, to);
    if (used && instead)
      used.replaceAllUsesWith(instead);
    return used && instead;
  });
}

Change mutation::swapArguments(StringRef a, StringRef b) {
  return onKernels([=](gpu::GPUFuncOp kernel) {
    Value x = findArgument(kernel, a), y = findArgument(kernel, b);
    if (!x || !y || x.getType() != y.getType())
      return false;
    SmallVector<OpOperand *> usesOfX;
    for (OpOperand &use : x.getUses())
      usesOfX.push_back(&use);
    y.replaceAllUsesWith(x);
    for (OpOperand *use : usesOfX)
      use->set(y);
    return true;
  });
}

Change mutation::ignoreArgument(Part part, StringRef name) {
  return onKernels([=](gpu::GPUFuncOp kernel) {
    Value argument = findArgument(kernel, name);
    if (!argument || !in(part)(&kernel.getBody().front().front()))
      return false;
    OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
    argument.replaceAllUsesWith(
        constantOf(b, kernel.getLoc(), argument.getType(), 0));
    return true;
  });
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// The tables that the kernel stages tiles in.
static SmallVector<int64_t> stagedTables(gpu::GPUFuncOp kernel) {
  Test isStaging = stores() && onShared() && inTiles() && !inStates();
  llvm::SetVector<int64_t> tables;
  kernel.walk([&](LLVM::StoreOp store) {
    if (isStaging(store))
      tables.insert(sharedTable(store.getAddr()));
  });
  return tables.takeVector();
}

Change mutation::swapStagedReads() {
  return onKernels([](gpu::GPUFuncOp kernel) {
    SmallVector<int64_t> tables = stagedTables(kernel);
    if (tables.size() < 2)
      return false;
    int64_t distance = tables[1] - tables[0];
    Test isRead = loads() && onShared() && inStates();
    SmallVector<std::pair<Operation *, int64_t>> moves;
    kernel.walk([&](LLVM::LoadOp load) {
      int64_t table = isRead(load) ? sharedTable(load.getAddr()) : -1;
      if (table == tables[0] || table == tables[1])
        moves.push_back({load, table == tables[0] ? distance : -distance});
    });
    for (auto [load, bytes] : moves)
      moveAddress(bytes)(load);
    return !moves.empty();
  });
}
