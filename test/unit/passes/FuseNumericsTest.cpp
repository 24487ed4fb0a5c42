//===- FuseNumericsTest.cpp - Fusion does not change results --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Model IR and what the passes make of it, both run by the reference. In double
// precision the two agree to rounding, for every rule, split and rewrite; in
// single precision to the rounding of the constants that the passes write.
//
//===----------------------------------------------------------------------===//

#include "test/unit/passes/ReferenceTest.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

namespace {

class FuseNumerics : public ReferenceTest {
protected:
  FuseNumerics() : ReferenceTest(7) {}

  /// Runs `text`, with $T as f64 and as f32, before and after the passes.
  void check(const std::string &text) {
    checkType(text, "f64", 1e-13, "");
    checkType(text, "f32", 2e-7, "");
  }
  /// The same for its backward function.
  void checkGradient(const std::string &text) {
    checkType(text, "f64", 1e-12, "_backward");
    checkType(text, "f32", 2e-6, "_backward");
  }

private:
  void checkType(std::string text, const std::string &type, double tolerance,
                 const std::string &suffix);
};

} // namespace

static double relativeError(const ReferenceTensor &found,
                            const ReferenceTensor &expected) {
  double difference = 0, size = 0;
  for (int64_t i = 0; i < expected.numElements(); ++i) {
    difference += std::norm(found.get(i) - expected.get(i));
    size += std::norm(expected.get(i));
  }
  return std::sqrt(difference / size);
}

void FuseNumerics::checkType(std::string text, const std::string &type,
                             double tolerance, const std::string &suffix) {
  for (size_t at; (at = text.find("$T")) != std::string::npos;)
    text.replace(at, 2, type);
  auto module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module);
  auto function = *module->getOps<func::FuncOp>().begin();
  if (!suffix.empty()) {
    PassManager differentiate(&context);
    differentiate.addPass(createDifferentiatePass());
    ASSERT_TRUE(succeeded(differentiate.run(*module)));
    function =
        module->lookupSymbol<func::FuncOp>((function.getName() + suffix).str());
  }
  SmallVector<ReferenceTensor> inputs;
  for (Type argument : function.getArgumentTypes())
    inputs.push_back(random(cast<RankedTensorType>(argument)));
  auto expected = evaluateReference(function, inputs);
  ASSERT_TRUE(succeeded(expected));

  PassManager passes(&context);
  passes.addNestedPass<func::FuncOp>(createFusePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createSimplifyBodyPass());
  passes.addPass(createCanonicalizerPass());
  ASSERT_TRUE(succeeded(passes.run(*module))) << text;
  auto found = evaluateReference(function, inputs);
  ASSERT_TRUE(succeeded(found));
  ASSERT_EQ(found->size(), expected->size());
  for (auto [f, e] : llvm::zip(*found, *expected))
    EXPECT_LT(relativeError(f, e), tolerance) << type << " " << text;
}

/// A layer of the given rule; `A`, `B` and `C` are types.
static std::string layer(const std::string &rule, const std::string &delta,
                         const std::string &A, const std::string &B,
                         const std::string &C, bool isComplex) {
  std::string u = "tensor<2x5x6x$T>";
  std::string states =
      isComplex ? "tensor<2x5x6x3xcomplex<$T>>" : "tensor<2x5x6x3x$T>";
  return "func.func @layer(%delta: " + delta + ", %A: " + A + ", %B: " + B +
         ", %C: " + C + ", %u: " + u + ", %z: " + u + ") -> " + u + " {\n" +
         "%a, %b = ssm.discretize " + rule + " %delta, %A, %B, %u : " + delta +
         ", " + A + ", " + B + ", " + u + " -> " + states + "\n" +
         "%h, %last = ssm.scan %a, %b : " + states + "\n" +
         "%y = ssm.readout %h, %C : " + states + ", " + C + " -> " + u + "\n" +
         "%o = ssm.gate gelu %y, %z : " + u + "\n" + "return %o : " + u +
         "\n}\n";
}

TEST_F(FuseNumerics, AllRulesRealAndComplex) {
  const std::string step = "tensor<2x5x6x$T>", perChannel = "tensor<6x$T>";
  const std::string real = "tensor<6x3x$T>", grouped = "tensor<2x5x2x3x$T>";
  const std::string complex = "tensor<6x3xcomplex<$T>>";
  const std::string groupedComplex = "tensor<2x5x2x3xcomplex<$T>>";
  for (std::string rule : {"zoh", "mamba", "bilinear", "euler"})
    for (const std::string &delta : {step, perChannel}) {
      check(layer(rule, delta, real, grouped, grouped, false));
      checkGradient(layer(rule, delta, real, grouped, grouped, false));
      checkGradient(layer(rule, delta, complex, real, real, true));
      checkGradient(layer(rule, delta, real, groupedComplex, grouped, true));
      check(layer(rule, delta, real, real, real, false));
      check(layer(rule, delta, complex, complex, complex, true));
      check(layer(rule, delta, complex, real, real, true));
      check(layer(rule, delta, real, groupedComplex, grouped, true));
    }
}

TEST_F(FuseNumerics, ZohNearAndFarFromZero) {
  // Steps of all sizes around the switch between series and quotient.
  for (std::string scale : {"0.0", "1.0e-7", "0.01", "0.5", "0.51", "4.0"})
    for (bool isComplex : {false, true}) {
      std::string matrix =
          isComplex ? "tensor<6x3xcomplex<$T>>" : "tensor<6x3x$T>";
      std::string text = layer("zoh", "tensor<2x5x6x$T>", matrix,
                               "tensor<6x3x$T>", matrix, isComplex);
      std::string use = "ssm.discretize zoh %delta,";
      text.replace(text.find(use), use.size(), "ssm.discretize zoh %scaled,");
      text.insert(text.find("%a, %b"),
                  "%scale = arith.constant dense<" + scale +
                      "> : tensor<2x5x6x$T>\n%scaled = arith.mulf %delta, "
                      "%scale : tensor<2x5x6x$T>\n");
      // All results vanish with delta; add u to have a size to compare with.
      text.replace(text.find("return %o"), 9,
                   "%s = arith.addf %o, %u : tensor<2x5x6x$T>\nreturn %s");
      check(text);
    }
}

TEST_F(FuseNumerics, TwoDirections) {
  check(R"mlir(
    func.func @f(%a: tensor<2x5x6x3x$T>, %b: tensor<2x5x6x3x$T>,
                 %C: tensor<6x3x$T>, %h0: tensor<2x6x3x$T>)
        -> (tensor<2x5x6x$T>, tensor<2x6x3x$T>) {
      %h, %last = ssm.scan %a, %b init(%h0)
        : tensor<2x5x6x3x$T>, tensor<2x6x3x$T>
      %g, %first = ssm.scan reverse %a, %h init(%last)
        : tensor<2x5x6x3x$T>, tensor<2x6x3x$T>
      %y = ssm.readout %h, %C
        : tensor<2x5x6x3x$T>, tensor<6x3x$T> -> tensor<2x5x6x$T>
      %x = ssm.readout %g, %C
        : tensor<2x5x6x3x$T>, tensor<6x3x$T> -> tensor<2x5x6x$T>
      %s = arith.addf %y, %x : tensor<2x5x6x$T>
      return %s, %first : tensor<2x5x6x$T>, tensor<2x6x3x$T>
    })mlir");
}

/// What steps start from, and what they end in, of one recurrence.
TEST_F(FuseNumerics, Exclusive) {
  const std::string x = "tensor<2x5x6x$T>", last = "tensor<2x6x$T>";
  for (std::string direction : {"", "reverse "})
    check("func.func @f(%a: " + x + ", %b: " + x + ", %h: " + last + ") -> (" +
          x + ", " + last + ") {\n%p, %end = ssm.scan " + direction +
          "exclusive %a, %b init(%h) : " + x + ", " + last +
          "\n%s, %l = ssm.scan " + direction + "%a, %b init(%h) : " + x + ", " +
          last + "\n%y = arith.mulf %p, %s : " + x +
          "\nreturn %y, %end : " + x + ", " + last + "\n}");
}

TEST_F(FuseNumerics, StatesAfterSum) {
  check(R"mlir(
    func.func @f(%a: tensor<2x5x6x3x$T>, %C: tensor<6x3x$T>)
        -> (tensor<2x5x6x$T>, tensor<2x5x6x$T>) {
      %h, %l0 = ssm.scan %a, %a : tensor<2x5x6x3x$T>
      %y = ssm.readout %h, %C
        : tensor<2x5x6x3x$T>, tensor<6x3x$T> -> tensor<2x5x6x$T>
      %wide = linalg.broadcast ins(%y : tensor<2x5x6x$T>)
        outs(%a : tensor<2x5x6x3x$T>) dimensions = [3]
      %in = arith.mulf %wide, %h : tensor<2x5x6x3x$T>
      %g, %last = ssm.scan %a, %in : tensor<2x5x6x3x$T>
      %scaled = arith.mulf %g, %wide : tensor<2x5x6x3x$T>
      %x = ssm.readout %scaled, %C
        : tensor<2x5x6x3x$T>, tensor<6x3x$T> -> tensor<2x5x6x$T>
      return %x, %y : tensor<2x5x6x$T>, tensor<2x5x6x$T>
    })mlir");
}

/// A sum over states that a structured op writes, from zero and from a tensor,
/// and B and C spread from groups to channels.
TEST_F(FuseNumerics, StructuredSumsAndGroups) {
  check(R"mlir(
    #full = affine_map<(b, l, d, n) -> (b, l, d, n)>
    #step = affine_map<(b, l, d, n) -> (b, l, d)>
    func.func @f(%a: tensor<2x5x6x3x$T>, %B: tensor<2x5x2x3x$T>,
                 %u: tensor<2x5x6x$T>) -> (tensor<2x5x6x$T>, tensor<2x5x6x$T>) {
      %x = ssm.spread_groups %B like %u
        : tensor<2x5x2x3x$T>, tensor<2x5x6x$T> -> tensor<2x5x6x3x$T>
      %h, %last = ssm.scan %a, %x : tensor<2x5x6x3x$T>
      %zero = arith.constant 0.0 : $T
      %empty = tensor.empty() : tensor<2x5x6x$T>
      %zeros = linalg.fill ins(%zero : $T) outs(%empty : tensor<2x5x6x$T>)
        -> tensor<2x5x6x$T>
      %y:2 = linalg.generic {
          indexing_maps = [#full, #full, #step, #step],
          iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
          ins(%h, %x : tensor<2x5x6x3x$T>, tensor<2x5x6x3x$T>)
          outs(%zeros, %u : tensor<2x5x6x$T>, tensor<2x5x6x$T>) {
      ^bb0(%hh: $T, %xx: $T, %o: $T, %p: $T):
        %t = arith.mulf %hh, %xx : $T
        %s = arith.addf %o, %t : $T
        %r = arith.addf %hh, %p : $T
        linalg.yield %s, %r : $T, $T
      } -> (tensor<2x5x6x$T>, tensor<2x5x6x$T>)
      return %y#0, %y#1 : tensor<2x5x6x$T>, tensor<2x5x6x$T>
    })mlir");
}

TEST_F(FuseNumerics, FactorsOutsideOfSums) {
  check(R"mlir(
    #full = affine_map<(b, l, d, n) -> (b, l, d, n)>
    #step = affine_map<(b, l, d, n) -> (b, l, d)>
    #table = affine_map<(b, l, d, n) -> (d, n)>
    func.func @f(%a: tensor<2x5x6x3x$T>, %w: tensor<2x5x6x$T>,
                 %A: tensor<6x3x$T>) -> tensor<2x5x6x$T> {
      %h, %last = ssm.scan %a, %a : tensor<2x5x6x3x$T>
      %v = linalg.generic {
          indexing_maps = [#full, #step, #table, #full],
          iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
          ins(%h, %w, %A : tensor<2x5x6x3x$T>, tensor<2x5x6x$T>, tensor<6x3x$T>)
          outs(%a : tensor<2x5x6x3x$T>) {
      ^bb0(%hh: $T, %ww: $T, %aa: $T, %o: $T):
        %half = arith.constant 0.5 : $T
        %x = arith.mulf %ww, %aa : $T
        %e = math.exp %x : $T
        %p = arith.mulf %hh, %ww : $T
        %n = arith.negf %p : $T
        %q = arith.mulf %n, %half : $T
        %r = arith.mulf %q, %e : $T
        linalg.yield %r : $T
      } -> tensor<2x5x6x3x$T>
      %y = ssm.readout %v, %A
        : tensor<2x5x6x3x$T>, tensor<6x3x$T> -> tensor<2x5x6x$T>
      return %y : tensor<2x5x6x$T>
    })mlir");
}

//===----------------------------------------------------------------------===//
// Sums over other axes than states
//===----------------------------------------------------------------------===//

/// Products of states and inputs, summed over `dims` of (b, l, d, n).
static std::string totalOf(const std::vector<int64_t> &dims) {
  const int64_t extents[] = {2, 5, 6, 3};
  std::string states = "tensor<2x5x6x3x$T>", result = "tensor<", list;
  for (int64_t dim = 0; dim < 4; ++dim)
    if (llvm::is_contained(dims, dim))
      list += (list.empty() ? "" : ", ") + std::to_string(dim);
    else
      result += std::to_string(extents[dim]) + "x";
  result += "$T>";
  return "func.func @f(%a: " + states + ", %b: " + states + ") -> (" + result +
         ", " + states + ") {\n%h, %l = ssm.scan %a, %b : " + states +
         "\n%x = arith.mulf %h, %b : " + states +
         "\n%zero = arith.constant dense<0.0> : " + result +
         "\n%s = linalg.reduce { arith.addf } ins(%x : " + states +
         ") outs(%zero : " + result + ") dimensions = [" + list +
         "]\nreturn %s, %x : " + result + ", " + states + "\n}\n";
}

TEST_F(FuseNumerics, TotalsOverAllSetsOfAxes) {
  for (unsigned set = 1; set < 16; ++set) {
    std::vector<int64_t> dims;
    for (int64_t dim = 0; dim < 4; ++dim)
      if (set & (1u << dim))
        dims.push_back(dim);
    check(totalOf(dims));
  }
}

TEST_F(FuseNumerics, TotalsAreReadByALaterKernel) {
  check(R"mlir(
    func.func @mean(%x: tensor<2x5x6x$T>, %w: tensor<6x$T>)
        -> (tensor<2x5x6x$T>, tensor<6x$T>) {
      %zero = arith.constant dense<0.0> : tensor<6x$T>
      %h, %last = ssm.scan %x, %x : tensor<2x5x6x$T>
      %sum = linalg.reduce { arith.addf } ins(%h : tensor<2x5x6x$T>)
        outs(%zero : tensor<6x$T>) dimensions = [0, 1]
      %scaled = arith.mulf %sum, %w : tensor<6x$T>
      %empty = tensor.empty() : tensor<2x5x6x$T>
      %y = linalg.generic {
          indexing_maps = [affine_map<(b, l, d) -> (b, l, d)>,
                           affine_map<(b, l, d) -> (d)>,
                           affine_map<(b, l, d) -> (b, l, d)>],
          iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%h, %scaled : tensor<2x5x6x$T>, tensor<6x$T>)
        outs(%empty : tensor<2x5x6x$T>) {
      ^bb0(%v: $T, %s: $T, %out: $T):
        %d = arith.subf %v, %s : $T
        linalg.yield %d : $T
      } -> tensor<2x5x6x$T>
      return %y, %scaled : tensor<2x5x6x$T>, tensor<6x$T>
    }
  )mlir");
}

TEST_F(FuseNumerics, TotalsOfGroups) {
  check(R"mlir(
    func.func @f(%a: tensor<2x5x6x3x$T>, %b: tensor<2x5x6x3x$T>,
                 %C: tensor<2x5x2x3x$T>)
        -> (tensor<2x5x3x3x$T>, tensor<2x5x6x$T>, tensor<2x5x1x3x$T>) {
      %h, %last = ssm.scan %a, %b : tensor<2x5x6x3x$T>
      %y = ssm.readout %h, %C
        : tensor<2x5x6x3x$T>, tensor<2x5x2x3x$T> -> tensor<2x5x6x$T>
      %g = ssm.sum_groups %h : tensor<2x5x6x3x$T> -> tensor<2x5x3x3x$T>
      %all = ssm.sum_groups %h : tensor<2x5x6x3x$T> -> tensor<2x5x1x3x$T>
      return %g, %y, %all
        : tensor<2x5x3x3x$T>, tensor<2x5x6x$T>, tensor<2x5x1x3x$T>
    }
  )mlir");
}

TEST_F(FuseNumerics, GradientOfOneElementForAllChannels) {
  checkGradient(R"mlir(
    func.func @f(%u: tensor<2x5x6x$T>, %a: tensor<2x5x6x3x$T>,
                 %B: tensor<2x5x1x3x$T>) -> tensor<2x5x6x3x$T> {
      %b = linalg.generic {
          indexing_maps = [affine_map<(b, l, d, n) -> (b, l, d)>,
                           affine_map<(b, l, d, n) -> (b, l, 0, n)>,
                           affine_map<(b, l, d, n) -> (b, l, d, n)>],
          iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%u, %B : tensor<2x5x6x$T>, tensor<2x5x1x3x$T>)
        outs(%a : tensor<2x5x6x3x$T>) {
      ^bb0(%x: $T, %w: $T, %out: $T):
        %p = arith.mulf %x, %w : $T
        linalg.yield %p : $T
      } -> tensor<2x5x6x3x$T>
      %h, %last = ssm.scan %a, %b : tensor<2x5x6x3x$T>
      return %h : tensor<2x5x6x3x$T>
    }
  )mlir");
}
