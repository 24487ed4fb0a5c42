//===- ReferenceTest.h - Functions on random tensors ------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What tests that run model IR by the reference share.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_PASSES_REFERENCETEST_H
#define MAMBA_TEST_UNIT_PASSES_REFERENCETEST_H

#include "codegen/reference/Reference.h"

#include "passes/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "gtest/gtest.h"

#include <random>

namespace mlir::ssm {

class ReferenceTest : public testing::Test {
protected:
  explicit ReferenceTest(unsigned seed) : generator(seed) {
    context
        .loadDialect<SSMDialect, arith::ArithDialect, complex::ComplexDialect,
                     func::FuncDialect, linalg::LinalgDialect,
                     math::MathDialect, tensor::TensorDialect>();
  }

  /// Numbers between `low` and `high`; static extents only.
  ReferenceTensor random(RankedTensorType type, double low = -1,
                         double high = 1) {
    std::uniform_real_distribution<double> distribution(low, high);
    ReferenceTensor tensor = ReferenceTensor::zeros(
        type.getShape(), isa<ComplexType>(type.getElementType()));
    for (int64_t i = 0; i < tensor.numElements(); ++i) {
      double re = distribution(generator);
      tensor.set(i, {re, distribution(generator)});
    }
    return tensor;
  }

  MLIRContext context;
  std::mt19937 generator;
};

} // namespace mlir::ssm

#endif // MAMBA_TEST_UNIT_PASSES_REFERENCETEST_H
