//===- LowerToCpu.cpp - Fused ops to vector code --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/LaunchPlan.h"
#include "codegen/cpu/LowerFusedOp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_LOWERTOCPUPASS
#include "codegen/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

namespace {

struct LowerToCpuPass : ssm::impl::LowerToCpuPassBase<LowerToCpuPass> {
  void runOnOperation() override {
    auto functions = llvm::to_vector(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp function : functions) {
      if (function != functions.front()) {
        function.emitError("is the module's second function; a kernel module "
                           "is lowered from one");
        return signalPassFailure();
      }
      if (failed(lower(function)))
        return signalPassFailure();
    }
  }

private:
  LogicalResult lower(func::FuncOp function) {
    if (function.getName().starts_with("llvm."))
      return function.emitError("has a name that LLVM reserves for intrinsics, "
                                "expected one without the prefix 'llvm.'");
    FailureOr<LaunchPlan> plan = LaunchPlan::build(function);
    if (failed(plan))
      return failure();
    unsigned number = 0;
    for (FusedOp fused : function.getOps<FusedOp>()) {
      std::string name = (function.getName() + "_" + Twine(number++)).str();
      if (failed(cpu::lowerFusedOp(fused, getOperation(), name, *plan)))
        return failure();
    }
    plan->attachTo(getOperation());
    function.erase();
    return success();
  }
};

} // namespace
