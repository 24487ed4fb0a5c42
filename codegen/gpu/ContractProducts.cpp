//===- ContractProducts.cpp - Fused multiply-adds, chosen here ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The choice is that of LLVM's NVPTX back end: a product is joined to each sum
// that reads it, and of two products the one with fewer readers.
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_CONTRACTPRODUCTSPASS
#include "codegen/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

using arith::FastMathFlags;

static bool mayContract(Operation *op) {
  auto flags = dyn_cast<arith::ArithFastMathInterface>(op);
  arith::FastMathFlagsAttr attr =
      flags ? flags.getFastMathFlagsAttr() : nullptr;
  return attr &&
         arith::bitEnumContainsAll(attr.getValue(), FastMathFlags::contract);
}

/// The product that `value` is, if it may become part of a sum.
static arith::MulFOp productOf(Value value) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  return product && mayContract(product) ? product : arith::MulFOp();
}

static int64_t numUses(Value value) {
  return std::distance(value.use_begin(), value.use_end());
}

static Value negate(OpBuilder &b, Location loc, Value value) {
  return arith::NegFOp::create(b, loc, value);
}

/// a * b + c, rounded once.
static Value fuse(OpBuilder &b, Location loc, Value x, Value y, Value z) {
  return LLVM::CallIntrinsicOp::create(b, loc, z.getType(),
                                       b.getStringAttr("llvm.fma"),
                                       ValueRange{x, y, z})
      .getResult(0);
}

/// x y + z, where one of the operands is a product.
static Value contract(OpBuilder &b, arith::AddFOp op) {
  Value z = op.getRhs();
  arith::MulFOp product = productOf(op.getLhs()), other = productOf(z);
  if (!product || (other && numUses(product) > numUses(other))) {
    product = other;
    z = op.getLhs();
  }
  if (!product)
    return nullptr;
  return fuse(b, op.getLoc(), product.getLhs(), product.getRhs(), z);
}

/// x y - z or z - x y.
static Value contract(OpBuilder &b, arith::SubFOp op) {
  arith::MulFOp first = productOf(op.getLhs()), second = productOf(op.getRhs());
  Location loc = op.getLoc();
  if (first && !(second && numUses(first) > numUses(second)))
    return fuse(b, loc, first.getLhs(), first.getRhs(),
                negate(b, loc, op.getRhs()));
  if (!second)
    return nullptr;
  return fuse(b, loc, negate(b, loc, second.getLhs()), second.getRhs(),
              op.getLhs());
}

namespace {
struct ContractProducts
    : ssm::impl::ContractProductsPassBase<ContractProducts> {
  /// Replaces the sum `op` if it has a product to join.
  template <typename Op> void visit(Op op) {
    if (!op.getType().isF32() || !mayContract(op))
      return;
    OpBuilder b(op);
    Value fused = contract(b, op);
    if (!fused)
      return;
    op.replaceAllUsesWith(fused);
    SmallVector<Value> operands(op->getOperands());
    op.erase();
    for (Value operand : operands)
      if (auto product = productOf(operand); product && product.use_empty())
        product.erase();
  }

  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      if (auto sum = dyn_cast<arith::AddFOp>(op))
        visit(sum);
      else if (auto difference = dyn_cast<arith::SubFOp>(op))
        visit(difference);
    });
    auto none =
        arith::FastMathFlagsAttr::get(&getContext(), FastMathFlags::none);
    getOperation().walk([&](arith::ArithFastMathInterface op) {
      op->setAttr(op.getFastMathAttrName(), none);
    });
  }
};
} // namespace
