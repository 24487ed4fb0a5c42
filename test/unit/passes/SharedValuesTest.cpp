//===- SharedValuesTest.cpp - Values that are used in many ways -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a chain of 60 squarings a value is reached from the last one in 2^60 ways:
// what looks at each of them does not end.
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"
#include "codegen/Pipeline.h"
#include "codegen/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// %q59, the value called `start` squared 60 times.
std::string squarings(std::string_view start) {
  std::string text, last = std::string(start);
  for (int i = 0; i < 60; ++i) {
    text += fmt::format("%q{} = arith.mulf {}, {} : f32\n", i, last, last);
    last = fmt::format("%q{}", i);
  }
  return text;
}

/// Whether the GPU pipeline takes `text`.
bool lowers(const std::string &text) {
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry);
  auto module = parseSourceString<ModuleOp>(text, &context);
  PassManager passes(&context);
  ScheduleRequest request;
  request.target = "sm_90";
  addFusePasses(passes);
  addSchedulePass(passes, request);
  addLoweringPass(passes, request);
  return module && succeeded(passes.run(*module));
}

} // namespace

TEST(SharedValues, OfStatesAreLoweredOnce) {
  EXPECT_TRUE(lowers(fmt::format(
      R"mlir(
func.func @f(%a: tensor<?x4xf32>, %b: tensor<?x?x?x4xf32>) -> tensor<?x?x?xf32> {{
  %r = ssm.fused (%x = %a[d, n] : tensor<?x4xf32>, %y = %b[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {{
    %h, %last = ssm.recurrence %x, %y : f32
    {}
    %s = ssm.sum %q59 over n : f32
    ssm.yield %s : f32
  }}
  return %r : tensor<?x?x?xf32>
}})mlir",
      squarings("%h"))));
}

TEST(SharedValues, OfTermsAreLookedAtOnce) {
  EXPECT_TRUE(lowers(fmt::format(
      R"mlir(
func.func @f(%a: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<4xf32>) {{
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %e = math.exp %a : tensor<2x3x4xf32>
  %r = linalg.reduce ins(%e : tensor<2x3x4xf32>) outs(%zero : tensor<4xf32>) dimensions = [0, 1]
    (%in: f32, %out: f32) {{
      {}
      %s = arith.addf %out, %q59 : f32
      linalg.yield %s : f32
    }}
  return %e, %r : tensor<2x3x4xf32>, tensor<4xf32>
}})mlir",
      squarings("%in"))));
}
