//===- ReferenceTest.cpp - The fp64 evaluator against hand-written loops --===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The oracle of all other tests is itself tested against closed forms and loops
// that are written out here, from the formulas and not from its code.
//
//===----------------------------------------------------------------------===//

#include "test/unit/codegen/ReferenceTesting.h"

#include "codegen/reference/GradientCheck.h"
#include "codegen/reference/ScalarOps.h"
#include "dialect/BodyOps.h"

#include <limits>

using namespace mlir;
using namespace mlir::ssm;

namespace {

//===----------------------------------------------------------------------===//
// Discretize
//===----------------------------------------------------------------------===//

std::string lti(StringRef rule, StringRef element) {
  return ("func.func @f(%delta: tensor<?xf32>, %A: tensor<?x2x" + element +
          ">, %B: tensor<?x2x" + element +
          ">, %u: tensor<?x?x?xf32>) -> (tensor<?x?x?x2x" + element +
          ">, tensor<?x?x?x2x" + element + ">) {\n  %a, %b = ssm.discretize " +
          rule + " %delta, %A, %B, %u : tensor<?xf32>, tensor<?x2x" + element +
          ">, tensor<?x2x" + element +
          ">, tensor<?x?x?xf32> -> tensor<?x?x?x2x" + element +
          ">\n  return %a, %b : tensor<?x?x?x2x" + element +
          ">, tensor<?x?x?x2x" + element + ">\n}\n")
      .str();
}

class DiscretizeTest : public ReferenceTest {
protected:
  /// Compares `rule` with formulas for a and for b / (B u).
  void check(StringRef rule, bool isComplex,
             Complex (*a)(double delta, Complex A),
             Complex (*b)(double delta, Complex A)) {
    ReferenceTensor delta = random({3}, 0.01, 0.5);
    ReferenceTensor A =
        isComplex ? randomComplex({3, 2}, -2, -0.1) : random({3, 2}, -2, -0.1);
    ReferenceTensor B =
        isComplex ? randomComplex({3, 2}, -1, 1) : random({3, 2}, -1, 1);
    ReferenceTensor u = random({2, 4, 3}, -1, 1);
    auto results =
        run(lti(rule, isComplex ? "complex<f32>" : "f32"), {delta, A, B, u});
    ASSERT_EQ(results.size(), 2u);
    std::vector<Complex> expectedA, expectedB;
    for (int64_t i = 0; i < 2 * 4 * 3; ++i)
      for (int64_t n = 0; n < 2; ++n) {
        int64_t dn = i % 3 * 2 + n;
        expectedA.push_back(a(delta.re[i % 3], A.get(dn)));
        expectedB.push_back(b(delta.re[i % 3], A.get(dn)) * B.get(dn) *
                            u.re[i]);
      }
    expectNear(results[0], {2, 4, 3, 2}, expectedA, 1e-14);
    expectNear(results[1], {2, 4, 3, 2}, expectedB, 1e-14);
  }
};

Complex exponential(double delta, Complex A) { return std::exp(delta * A); }
Complex step(double delta, Complex) { return delta; }

TEST_F(DiscretizeTest, zoh) {
  auto b = [](double delta, Complex A) {
    return (std::exp(delta * A) - 1.0) / A;
  };
  check("zoh", false, exponential, b);
  check("zoh", true, exponential, b);
}

TEST_F(DiscretizeTest, mamba) {
  check("mamba", false, exponential, step);
  check("mamba", true, exponential, step);
}

TEST_F(DiscretizeTest, bilinear) {
  auto a = [](double delta, Complex A) {
    return (2.0 + delta * A) / (2.0 - delta * A);
  };
  auto b = [](double delta, Complex A) {
    return 2.0 * delta / (2.0 - delta * A);
  };
  check("bilinear", false, a, b);
  check("bilinear", true, a, b);
}

TEST_F(DiscretizeTest, euler) {
  auto a = [](double delta, Complex A) { return 1.0 + delta * A; };
  check("euler", false, a, step);
  check("euler", true, a, step);
}

TEST_F(DiscretizeTest, zohIsAccurateNearZero) {
  // (exp(x) - 1) / x = 1 + x / 2 + x^2 / 6 + ...
  std::vector<double> xs = {0.0, 1e-12, -1e-12, 1e-6};
  for (double x : xs) {
    auto real = run(lti("zoh", "f32"),
                    {tensorOf({1}, {1.0}), tensorOf({1, 2}, {x, x}),
                     tensorOf({1, 2}, {1, 1}), tensorOf({1, 1, 1}, {1.0})});
    EXPECT_NEAR(real[1].re[0], 1.0 + x / 2 + x * x / 6, 1e-16 * 4) << x;
    ReferenceTensor A = tensorOf({1, 2}, {0.0, x});
    A.isComplex = true;
    A.im = {x, x};
    ReferenceTensor B = tensorOf({1, 2}, {1, 1});
    B.isComplex = true;
    B.im = {0, 0};
    auto complex = run(lti("zoh", "complex<f32>"),
                       {tensorOf({1}, {1.0}), A, B, tensorOf({1, 1, 1}, {1})});
    for (int i = 0; i < 2; ++i) {
      Complex z = A.get(i), expected = 1.0 + z / 2.0 + z * z / 6.0;
      EXPECT_LE(std::abs(complex[1].get(i) - expected), 1e-15) << z;
    }
  }
}

//===----------------------------------------------------------------------===//
// Scan, readout, gate
//===----------------------------------------------------------------------===//

std::string scan(StringRef direction, StringRef element, StringRef init,
                 StringRef dims, StringRef lastDims, StringRef initDims) {
  std::string full = ("tensor<" + dims + element + ">").str();
  std::string last = ("tensor<" + lastDims + element + ">").str();
  std::string initType = ("tensor<" + initDims + element + ">").str();
  std::string argument = init.empty() ? "" : ", %h0: " + initType;
  std::string suffix = init.empty() ? "" : ", " + initType;
  return "func.func @f(%a: " + full + ", %b: " + full + argument + ") -> (" +
         full + ", " + last + ") {\n  %h, %last = ssm.scan " + direction.str() +
         " %a, %b " + init.str() + " : " + full + suffix +
         "\n  return %h, %last : " + full + ", " + last + "\n}\n";
}

TEST_F(ReferenceTest, scanForwardComplexWithInitialState) {
  ReferenceTensor a = randomComplex({2, 3, 2, 2}, -0.9, 0.9);
  ReferenceTensor b = randomComplex({2, 3, 2, 2}, -1, 1);
  ReferenceTensor h0 = randomComplex({2, 2}, -1, 1);
  auto results =
      run(scan("", "complex<f32>", "init(%h0)", "?x?x?x2x", "?x?x2x", "?x2x"),
          {a, b, h0});
  ASSERT_EQ(results.size(), 2u);
  std::vector<Complex> states(24), last(8);
  for (int batch = 0; batch < 2; ++batch)
    for (int dn = 0; dn < 4; ++dn) {
      Complex h = h0.get(dn);
      for (int l = 0; l < 3; ++l) {
        int i = (batch * 3 + l) * 4 + dn;
        h = a.get(i) * h + b.get(i);
        states[i] = h;
      }
      last[batch * 4 + dn] = h;
    }
  expectNear(results[0], {2, 3, 2, 2}, states, 1e-13);
  expectNear(results[1], {2, 2, 2}, last, 1e-13);
}

TEST_F(ReferenceTest, scanReverseWithoutStates) {
  ReferenceTensor a = tensorOf({1, 3, 1}, {2, 3, 4});
  ReferenceTensor b = tensorOf({1, 3, 1}, {1, 10, 100});
  auto results = run(scan("reverse", "f32", "", "?x?x?x", "?x?x", ""), {a, b});
  ASSERT_EQ(results.size(), 2u);
  expectNear(results[0], {1, 3, 1}, {1 + 2 * 310, 10 + 3 * 100, 100}, 0.0);
  expectNear(results[1], {1, 1}, {621}, 0.0);
}

TEST_F(ReferenceTest, scanWithoutStepsGivesTheInitialState) {
  ReferenceTensor empty = ReferenceTensor::zeros({2, 0, 3}, false);
  ReferenceTensor h0 = random({3}, -1, 1);
  auto results = run(scan("", "f32", "init(%h0)", "?x?x?x", "?x?x", "?x"),
                     {empty, empty, h0});
  ASSERT_EQ(results.size(), 2u);
  std::vector<Complex> last = numbers(h0), again = last;
  last.insert(last.end(), again.begin(), again.end());
  expectNear(results[0], {2, 0, 3}, {}, 0.0);
  expectNear(results[1], {2, 3}, last, 0.0);
}

TEST_F(ReferenceTest, realStatesStayRealAtInfinity) {
  double inf = std::numeric_limits<double>::infinity();
  auto results =
      run(scan("", "f32", "", "?x?x?x", "?x?x", ""),
          {tensorOf({1, 3, 1}, {2, 2, 2}), tensorOf({1, 3, 1}, {0, inf, 1})});
  EXPECT_EQ(results[1].re[0], inf);
}

TEST_F(ReferenceTest, readoutTakesTheRealPart) {
  ReferenceTensor h = randomComplex({1, 2, 2, 2}, -1, 1);
  ReferenceTensor C = randomComplex({2, 2}, -1, 1);
  auto results = run(R"(
func.func @f(%h: tensor<?x?x?x2xcomplex<f32>>, %C: tensor<?x2xcomplex<f32>>)
    -> tensor<?x?x?xf32> {
  %y = ssm.readout %h, %C : tensor<?x?x?x2xcomplex<f32>>,
    tensor<?x2xcomplex<f32>> -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
})",
                     {h, C});
  std::vector<Complex> expected;
  for (int l = 0; l < 2; ++l)
    for (int d = 0; d < 2; ++d) {
      double sum = 0.0;
      for (int n = 0; n < 2; ++n) {
        int i = (l * 2 + d) * 2 + n;
        sum += h.re[i] * C.re[d * 2 + n] - h.im[i] * C.im[d * 2 + n];
      }
      expected.push_back(sum);
    }
  expectNear(results[0], {1, 2, 2}, expected, 1e-14);
}

TEST_F(ReferenceTest, gates) {
  ReferenceTensor y = random({5}, -1, 1);
  ReferenceTensor z = tensorOf({5}, {-30, -1.5, 0, 0.5, 12});
  std::pair<StringRef, double (*)(double)> gates[] = {
      {"identity", [](double v) { return v; }},
      {"silu", [](double v) { return v / (1 + std::exp(-v)); }},
      {"sigmoid", [](double v) { return 1 / (1 + std::exp(-v)); }},
      {"gelu", [](double v) { return v * std::erfc(-v / std::sqrt(2.0)) / 2; }},
  };
  for (auto [name, function] : gates) {
    auto results = run(("func.func @f(%y: tensor<?xf32>, %z: tensor<?xf32>) -> "
                        "tensor<?xf32> {\n  %o = ssm.gate " +
                        name +
                        " %y, %z : tensor<?xf32>\n  return %o : "
                        "tensor<?xf32>\n}\n")
                           .str(),
                       {y, z});
    std::vector<Complex> expected;
    for (int i = 0; i < 5; ++i)
      expected.push_back(y.re[i] * function(z.re[i]));
    expectNear(results[0], {5}, expected, 1e-15);
  }
}

//===----------------------------------------------------------------------===//
// Upstream ops
//===----------------------------------------------------------------------===//

TEST_F(ReferenceTest, reductionsAndTransposesOfLinalg) {
  ReferenceTensor x = random({3, 4}, -1, 1);
  auto results = run(R"(
func.func @f(%x: tensor<?x4xf32>) -> (tensor<4x?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<4x?xf32>
  %t = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%e : tensor<4x?xf32>)
    permutation = [1, 0]
  %zero = arith.constant 0.0 : f32
  %s0 = tensor.empty(%n) : tensor<?xf32>
  %s1 = linalg.fill ins(%zero : f32) outs(%s0 : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.reduce { arith.addf } ins(%x : tensor<?x4xf32>)
    outs(%s1 : tensor<?xf32>) dimensions = [1]
  return %t, %s : tensor<4x?xf32>, tensor<?xf32>
})",
                     {x});
  std::vector<Complex> transposed, sums(3);
  for (int j = 0; j < 4; ++j)
    for (int i = 0; i < 3; ++i) {
      transposed.push_back(x.re[i * 4 + j]);
      sums[i] += x.re[i * 4 + j];
    }
  expectNear(results[0], {4, 3}, transposed, 0.0);
  expectNear(results[1], {3}, sums, 1e-15);
}

TEST_F(ReferenceTest, elementwiseOpsOnTensors) {
  ReferenceTensor x = tensorOf({4}, {-2, -0.5, 0.5, 2});
  auto results = run(R"(
func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %d = tensor.cast %c : tensor<4xf32> to tensor<?xf32>
  %half = arith.constant dense<0.5> : tensor<4xf32>
  %h = tensor.cast %half : tensor<4xf32> to tensor<?xf32>
  %m = arith.mulf %x, %d : tensor<?xf32>
  %e = math.tanh %m : tensor<?xf32>
  %big = arith.cmpf oge, %x, %h : tensor<?xf32>
  %r = arith.select %big, %e, %x : tensor<?xi1>, tensor<?xf32>
  return %r : tensor<?xf32>
})",
                     {x});
  expectNear(results[0], {4}, {-2, -0.5, std::tanh(1.5), std::tanh(8.0)},
             1e-15);
}

TEST_F(ReferenceTest, complexScalarOpsInLinalg) {
  ReferenceTensor x = randomComplex({3}, -1, 1);
  auto results = run(R"(
#i = affine_map<(i) -> (i)>
func.func @f(%x: tensor<?xcomplex<f32>>) -> tensor<?xcomplex<f32>> {
  %c = complex.constant [0.5 : f32, -2.0 : f32] : complex<f32>
  %y = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]}
      ins(%x : tensor<?xcomplex<f32>>) outs(%x : tensor<?xcomplex<f32>>) {
  ^bb0(%v: complex<f32>, %o: complex<f32>):
    %m = complex.mul %v, %c : complex<f32>
    %e = complex.exp %m : complex<f32>
    %re = complex.re %e : complex<f32>
    %im = complex.im %v : complex<f32>
    %r = complex.create %re, %im : complex<f32>
    linalg.yield %r : complex<f32>
  } -> tensor<?xcomplex<f32>>
  return %y : tensor<?xcomplex<f32>>
})",
                     {x});
  std::vector<Complex> expected;
  for (int i = 0; i < 3; ++i)
    expected.push_back({std::exp(x.get(i) * Complex(0.5, -2)).real(), x.im[i]});
  expectNear(results[0], {3}, expected, 1e-14);
}

TEST_F(ReferenceTest, integersWrapAtTheirWidth) {
  auto results = run(R"(
func.func @f() -> (i8, i1, f32, f32) {
  %a = arith.constant 100 : i8
  %s = arith.addi %a, %a : i8
  %t = arith.cmpi slt, %s, %a : i8
  %signed = arith.sitofp %s : i8 to f32
  %unsigned = arith.uitofp %s : i8 to f32
  return %s, %t, %signed, %unsigned : i8, i1, f32, f32
})",
                     {});
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(results[0].re[0], -56);
  EXPECT_EQ(results[1].re[0], 1);
  EXPECT_EQ(results[2].re[0], -56);
  EXPECT_EQ(results[3].re[0], 200);
}

//===----------------------------------------------------------------------===//
// Fused bodies beyond the layer
//===----------------------------------------------------------------------===//

TEST_F(ReferenceTest, fusedReverseWithSumOfAPerChannelValue) {
  auto results = run(R"(
func.func @f(%x: tensor<?x?xf32>, %w: tensor<3xf32>)
    -> (tensor<?x?xf32>, tensor<?xf32>) {
  %y, %last = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>,
                         %s = %w[n] : tensor<3xf32>)
      -> ([b, l] : tensor<?x?xf32>, [b] : tensor<?xf32>) {
    %half = arith.constant 0.5 : f32
    %h, %first = ssm.recurrence reverse %half, %v : f32
    %three = ssm.sum %h over n : f32
    %six = ssm.sum %s over n : f32
    %o = arith.addf %three, %six : f32
    ssm.yield %o, %first : f32, f32
  }
  return %y, %last : tensor<?x?xf32>, tensor<?xf32>
})",
                     {tensorOf({1, 3}, {1, 2, 4}), tensorOf({3}, {1, 2, 3})});
  // h = 4, then 2 + 4 / 2, then 1 + 4 / 2.
  expectNear(results[0], {1, 3}, {3 * 3 + 6, 3 * 4 + 6, 3 * 4 + 6}, 0.0);
  expectNear(results[1], {1}, {3}, 0.0);
}

TEST_F(ReferenceTest, fusedResultWithoutTheEmptyAxis) {
  auto results =
      run(R"(
func.func @f(%x: tensor<?x?x?xf32>, %D: tensor<?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?xf32>) {
  %y, %e = ssm.fused (%v = %x[b, l, d] : tensor<?x?x?xf32>,
                      %w = %D[d] : tensor<?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [d] : tensor<?xf32>) {
    %s = arith.addf %v, %w : f32
    %t = arith.addf %w, %w : f32
    ssm.yield %s, %t : f32, f32
  }
  return %y, %e : tensor<?x?x?xf32>, tensor<?xf32>
})",
          {ReferenceTensor::zeros({0, 3, 2}, false), tensorOf({2}, {1, 2})});
  expectNear(results[0], {0, 3, 2}, {}, 0.0);
  expectNear(results[1], {2}, {2, 4}, 0.0);
}

/// Totals over each axis, of what has all and of what lacks b.
static const char *const kTotals = R"(
func.func @f(%x: tensor<?x?x?xf32>, %w: tensor<?x?xf32>)
    -> (tensor<?xf32>, tensor<?x?xf32>, tensor<?xf32>, tensor<?x2xf32>) {
  %0:4 = ssm.fused (%v = %x[b, l, d] : tensor<?x?x?xf32>,
                    %k = %w[l, d] : tensor<?x?xf32>)
      -> ([d] : tensor<?xf32>, [b, l] : tensor<?x?xf32>, [d] : tensor<?xf32>,
          [l, g] : tensor<?x2xf32>) {
    %d = ssm.total %v over <b, l> : f32 -> f32
    %bl = ssm.total %v over <d> : f32 -> f32
    %once = ssm.total %k over <l> : f32 -> f32
    %g = ssm.total %k over <g> : f32 -> f32
    ssm.yield %d, %bl, %once, %g : f32, f32, f32, f32
  }
  return %0#0, %0#1, %0#2, %0#3
    : tensor<?xf32>, tensor<?x?xf32>, tensor<?xf32>, tensor<?x2xf32>
})";

TEST_F(ReferenceTest, fusedTotals) {
  auto results =
      run(kTotals, {tensorOf({2, 1, 4}, {1, 2, 3, 4, 10, 20, 30, 40}),
                    tensorOf({1, 4}, {1, 2, 3, 4})});
  expectNear(results[0], {4}, {11, 22, 33, 44}, 0.0);
  expectNear(results[1], {2, 1}, {10, 100}, 0.0);
  // Not once for each sequence of what else the op computes.
  expectNear(results[2], {4}, {1, 2, 3, 4}, 0.0);
  expectNear(results[3], {1, 2}, {3, 7}, 0.0);
}

TEST_F(ReferenceTest, fusedTotalsOfNothing) {
  auto noBatch = run(kTotals, {ReferenceTensor::zeros({0, 1, 2}, false),
                               tensorOf({1, 2}, {1, 2})});
  expectNear(noBatch[0], {2}, {0, 0}, 0.0);
  expectNear(noBatch[1], {0, 1}, {}, 0.0);
  expectNear(noBatch[2], {2}, {1, 2}, 0.0);
  auto noSteps = run(kTotals, {ReferenceTensor::zeros({1, 0, 2}, false),
                               ReferenceTensor::zeros({0, 2}, false)});
  expectNear(noSteps[0], {2}, {0, 0}, 0.0);
  expectNear(noSteps[2], {2}, {0, 0}, 0.0);
  auto noChannels = run(kTotals, {ReferenceTensor::zeros({2, 1, 0}, false),
                                  ReferenceTensor::zeros({1, 0}, false)});
  expectNear(noChannels[1], {2, 1}, {0, 0}, 0.0);
  expectNear(noChannels[3], {1, 2}, {0, 0}, 0.0);
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

/// y = x^3 and 3 x^2 dy, times `factor`.
static std::string cubeAndSlope(const std::string &factor) {
  return R"(
func.func @f(%x: tensor<4xf64>) -> tensor<4xf64> {
  %s = arith.mulf %x, %x : tensor<4xf64>
  %y = arith.mulf %s, %x : tensor<4xf64>
  return %y : tensor<4xf64>
}
func.func @f_backward(%x: tensor<4xf64>, %dy: tensor<4xf64>) -> tensor<4xf64> {
  %c = arith.constant dense<)" +
         factor + R"(> : tensor<4xf64>
  %s = arith.mulf %x, %x : tensor<4xf64>
  %t = arith.mulf %s, %c : tensor<4xf64>
  %dx = arith.mulf %t, %dy : tensor<4xf64>
  return %dx : tensor<4xf64>
})";
}

TEST_F(ReferenceTest, gradientsBesideDifferences) {
  SmallVector<ReferenceTensor> inputs = {random({4}, 0.5, 1),
                                         random({4}, -1, 1)};
  for (auto [factor, isRight] :
       {std::pair("3.0", true), std::pair("3.001", false),
        std::pair("0.0", false)}) {
    func::FuncOp forward = parse(cubeAndSlope(factor));
    auto backward = module->lookupSymbol<func::FuncOp>("f_backward");
    auto errors = checkGradients(forward, backward, inputs, 1);
    ASSERT_TRUE(succeeded(errors)) << this->errors;
    ASSERT_EQ(errors->size(), 1u);
    EXPECT_EQ((*errors)[0] < 1e-5, isRight) << (*errors)[0];
  }
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(ReferenceTest, refusesGroupsThatDoNotDivide) {
  const char *text = R"(
func.func @f(%x: tensor<?x?x?x1xf32>) -> tensor<?x?x2x1xf32> {
  %g = ssm.sum_groups %x : tensor<?x?x?x1xf32> -> tensor<?x?x2x1xf32>
  return %g : tensor<?x?x2x1xf32>
})";
  std::string error =
      errorOf(text, {ReferenceTensor::zeros({1, 1, 5, 1}, false)});
  EXPECT_NE(error.find("2 groups, which do not divide the 5 channels"),
            std::string::npos)
      << error;
}

const char *const kIdentity =
    "func.func @f(%x: tensor<?x3xf32> {ssm.name = \"x\"}) -> tensor<?x3xf32> "
    "{\n  return %x : tensor<?x3xf32>\n}\n";

TEST_F(ReferenceTest, refusesAWrongExtent) {
  EXPECT_EQ(errorOf(kIdentity, {ReferenceTensor::zeros({2, 4}, false)}),
            "dimension 1 of argument 0 ('x') has extent 4, expected 3 for "
            "type 'tensor<?x3xf32>'\n");
}

TEST_F(ReferenceTest, refusesAWrongRank) {
  EXPECT_EQ(errorOf(kIdentity, {ReferenceTensor::zeros({3}, false)}),
            "argument 0 ('x') has rank 1, expected 2 for type "
            "'tensor<?x3xf32>'\n");
}

TEST_F(ReferenceTest, refusesComplexNumbersForReals) {
  EXPECT_EQ(errorOf(kIdentity, {ReferenceTensor::zeros({2, 3}, true)}),
            "argument 0 ('x') has complex elements, expected type "
            "'tensor<?x3xf32>'\n");
}

TEST_F(ReferenceTest, refusesAWrongNumberOfInputs) {
  EXPECT_EQ(errorOf(kIdentity, {}),
            "found 0 inputs, expected 1, one an argument\n");
}

TEST_F(ReferenceTest, namesAnUnknownOp) {
  EXPECT_EQ(errorOf(R"(
func.func @f(%x: tensor<?xf32>) -> tensor<2xf32> {
  %s = tensor.extract_slice %x[0] [2] [1] : tensor<?xf32> to tensor<2xf32>
  return %s : tensor<2xf32>
})",
                    {ReferenceTensor::zeros({4}, false)}),
            "the reference device has no rule for 'tensor.extract_slice'\n");
}

TEST_F(ReferenceTest, refusesWhatDoesNotFitInMemory) {
  EXPECT_NE(errorOf(R"(
func.func @f(%n: index) -> tensor<?x?xf32> {
  %e = tensor.empty(%n, %n) : tensor<?x?xf32>
  return %e : tensor<?x?xf32>
})",
                    {tensorOf({}, {1e9})})
                .find("needs more than 2147483648 numbers"),
            std::string::npos)
      << errors;
}

//===----------------------------------------------------------------------===//
// Scalar ops
//===----------------------------------------------------------------------===//

TEST(ScalarOps, HaveARuleForWhatBodiesMayHold) {
  for (StringRef dialect : {"arith", "math", "complex"}) {
    EXPECT_FALSE(bodyOpsOf(dialect).empty());
    for (StringRef op : bodyOpsOf(dialect))
      EXPECT_TRUE(op == "constant" || hasScalarRule((dialect + "." + op).str()))
          << dialect.str() << "." << op.str();
  }
}

} // namespace
