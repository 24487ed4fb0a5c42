//===- CpuTesting.cpp - Compiled CPU kernels against the reference --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTesting.h"

#include "codegen/LaunchPlan.h"
#include "codegen/Passes.h"
#include "runtime/DType.h"
#include "runtime/Device.h"
#include "runtime/jit/ObjectLinker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <random>

using namespace mlir;

namespace mamba {

std::string substitute(std::string text,
                       std::vector<std::pair<std::string, std::string>> words) {
  for (const auto &[from, to] : words)
    for (size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  return text;
}

CompiledFunction::CompiledFunction(const std::string &text,
                                   const ssm::ObjectTarget &target)
    : source(text), context(MLIRContext::Threading::DISABLED) {
  context.loadDialect<ssm::SSMDialect, arith::ArithDialect,
                      complex::ComplexDialect, func::FuncDialect,
                      math::MathDialect>();
  compile(target);
}

void CompiledFunction::compile(const ssm::ObjectTarget &target) {
  model = parseSourceString<ModuleOp>(source, &context);
  ASSERT_TRUE(model) << source;
  OwningOpRef<ModuleOp> lowered(model->clone());
  PassManager passes(&context);
  passes.addPass(ssm::createLowerToCpuPass());
  ASSERT_TRUE(succeeded(passes.run(*lowered))) << source;
  FailureOr<Artifact> plan = ssm::LaunchPlan::read(*lowered);
  ASSERT_TRUE(succeeded(plan));
  FailureOr<std::string> object = ssm::compileCpuModule(*lowered, target);
  ASSERT_TRUE(succeeded(object)) << source;
  artifact = std::make_shared<Artifact>(std::move(*plan));
  artifact->image = std::move(*object);
  artifact->target = ssm::ObjectTarget::host().name();
  ASSERT_TRUE(registerObjectLinker().ok());
  auto device = Device::open("cpu");
  ASSERT_TRUE(device.ok()) << device.status().message();
  auto created = Kernel::create(artifact, *device);
  ASSERT_TRUE(created.ok()) << created.status().message();
  kernel = *created;
}

/// Strides are those of the layout's order, with gaps between rows.
HostTensor CompiledFunction::makeTensor(unsigned i, Extents extents) const {
  const TensorSpec &spec = artifact->tensors[i];
  std::vector<int64_t> shape, strides(spec.dims.size());
  for (const DimSpec &dim : spec.dims)
    shape.push_back(dim.extent != kDynamic     ? dim.extent
                    : dim.axis == Axis::Batch  ? extents.b
                    : dim.axis == Axis::Length ? extents.l
                                               : extents.d);
  int64_t unit = artifact->layouts[i].unitDim, next = unit < 0 ? 2 : 1;
  auto place = [&](int64_t dim) {
    strides[dim] = next;
    next = next * shape[dim] + 3;
  };
  if (unit >= 0)
    place(unit);
  for (int64_t dim = shape.size() - 1; dim >= 0; --dim)
    if (dim != unit)
      place(dim);
  return HostTensor(spec.dtype, shape, strides, /*offset=*/1);
}

/// Relative 2-norms of what the kernel and of what rounding alone changes.
static std::pair<double, double>
relativeErrors(const HostTensor &found, const ssm::ReferenceTensor &exact) {
  double error = 0, rounding = 0, norm = 0;
  int64_t at = 0;
  HostTensor rounded(found.dtype(), {1});
  const int64_t first[] = {0};
  forEachIndex(found.shape(), [&](std::span<const int64_t> index) {
    std::complex<double> value = exact.get(at++);
    rounded.set(first, value);
    error += std::norm(found.at(index) - value);
    rounding += std::norm(rounded.at(first) - value);
    norm += std::norm(value);
  });
  if (norm == 0)
    return {error, 0};
  return {std::sqrt(error / norm), std::sqrt(rounding / norm)};
}

/// What single precision inside may add to the rounding of a result.
static double toleranceOf(DType type) {
  return type == DType::F64 || type == DType::C128 ? 1e-13 : 3e-6;
}

void CompiledFunction::expectAccurate(Extents extents) {
  ASSERT_TRUE(ok());
  std::vector<HostTensor> tensors;
  std::vector<TensorView> views;
  SmallVector<ssm::ReferenceTensor> inputs;
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (unsigned i = 0; i < artifact->numInputs + artifact->numResults; ++i) {
    HostTensor &tensor = tensors.emplace_back(makeTensor(i, extents));
    tensor.fillNaN();
    if (i < artifact->numInputs) {
      tensor.fill([&](int64_t) {
        double re = uniform(random);
        return std::complex<double>(re, uniform(random));
      });
      inputs.push_back(ssm::ReferenceTensor::fromView(tensor.view()));
    }
    views.push_back(tensor.view());
  }
  Status status = kernel->launch(views);
  ASSERT_TRUE(status.ok()) << status.message();
  auto function = *model->getOps<func::FuncOp>().begin();
  auto exact = ssm::evaluateReference(function, inputs);
  ASSERT_TRUE(succeeded(exact));
  for (unsigned i = 0; i < artifact->numResults; ++i) {
    const HostTensor &result = tensors[artifact->numInputs + i];
    auto [error, rounding] = relativeErrors(result, (*exact)[i]);
    EXPECT_LE(error, 1.05 * rounding + toleranceOf(result.dtype()))
        << "result " << i << " of b=" << extents.b << " l=" << extents.l
        << " d=" << extents.d << "\n"
        << source;
    EXPECT_TRUE(result.guardsIntact()) << source;
  }
}

} // namespace mamba
