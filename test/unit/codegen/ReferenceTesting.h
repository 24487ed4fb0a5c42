//===- ReferenceTesting.h - Running functions on the reference --*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the tests of the reference share: parsing, random inputs, comparison.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_CODEGEN_REFERENCETESTING_H
#define MAMBA_TEST_UNIT_CODEGEN_REFERENCETESTING_H

#include "codegen/reference/Reference.h"

#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

namespace mlir::ssm {

using Complex = std::complex<double>;

class ReferenceTest : public testing::Test {
protected:
  ReferenceTest()
      : handler(&context, [this](Diagnostic &diagnostic) {
          errors += diagnostic.str() + "\n";
        }) {
    context
        .loadDialect<SSMDialect, arith::ArithDialect, complex::ComplexDialect,
                     func::FuncDialect, linalg::LinalgDialect,
                     math::MathDialect, tensor::TensorDialect>();
  }

  /// The only function of the module `text`.
  func::FuncOp parse(StringRef text) {
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << errors;
    return module ? *module->getOps<func::FuncOp>().begin() : func::FuncOp();
  }

  SmallVector<ReferenceTensor> run(StringRef text,
                                   ArrayRef<ReferenceTensor> inputs) {
    auto results = evaluateReference(parse(text), inputs);
    EXPECT_TRUE(succeeded(results)) << errors;
    return succeeded(results) ? *results : SmallVector<ReferenceTensor>();
  }

  std::string errorOf(StringRef text, ArrayRef<ReferenceTensor> inputs) {
    EXPECT_TRUE(failed(evaluateReference(parse(text), inputs)));
    return errors;
  }

  /// Numbers in [low, high), the same in every run.
  ReferenceTensor random(ArrayRef<int64_t> shape, double low, double high) {
    ReferenceTensor tensor = ReferenceTensor::zeros(shape, false);
    std::uniform_real_distribution<double> distribution(low, high);
    for (double &value : tensor.re)
      value = distribution(generator);
    return tensor;
  }

  ReferenceTensor randomComplex(ArrayRef<int64_t> shape, double low,
                                double high) {
    ReferenceTensor tensor = random(shape, low, high);
    tensor.isComplex = true;
    tensor.im = random(shape, -3.0, 3.0).re;
    return tensor;
  }

  MLIRContext context;
  std::string errors;
  OwningOpRef<ModuleOp> module;

private:
  ScopedDiagnosticHandler handler;
  std::mt19937 generator{42};
};

inline ReferenceTensor tensorOf(ArrayRef<int64_t> shape,
                                std::vector<double> values) {
  ReferenceTensor tensor;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.re = std::move(values);
  return tensor;
}

inline void expectNear(const ReferenceTensor &found, ArrayRef<int64_t> shape,
                       const std::vector<Complex> &expected, double tolerance) {
  ASSERT_EQ(ArrayRef<int64_t>(found.shape), shape);
  ASSERT_EQ(found.re.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_LE(std::abs(found.get(i) - expected[i]),
              tolerance * std::max(1.0, std::abs(expected[i])))
        << "element " << i << ": " << found.get(i) << " against "
        << expected[i];
}

inline std::vector<Complex> numbers(const ReferenceTensor &tensor) {
  std::vector<Complex> values;
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    values.push_back(tensor.get(i));
  return values;
}

} // namespace mlir::ssm

#endif // MAMBA_TEST_UNIT_CODEGEN_REFERENCETESTING_H
