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

#include "codegen/reference/Reference.h"

#include "dialect/SSMDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::ssm;
using Complex = std::complex<double>;

namespace {

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

ReferenceTensor tensorOf(ArrayRef<int64_t> shape, std::vector<double> values) {
  ReferenceTensor tensor;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.re = std::move(values);
  return tensor;
}

void expectNear(const ReferenceTensor &found, ArrayRef<int64_t> shape,
                const std::vector<Complex> &expected, double tolerance) {
  ASSERT_EQ(ArrayRef<int64_t>(found.shape), shape);
  ASSERT_EQ(found.re.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_LE(std::abs(found.get(i) - expected[i]),
              tolerance * std::max(1.0, std::abs(expected[i])))
        << "element " << i << ": " << found.get(i) << " against "
        << expected[i];
}

std::vector<Complex> numbers(const ReferenceTensor &tensor) {
  std::vector<Complex> values;
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    values.push_back(tensor.get(i));
  return values;
}

//===----------------------------------------------------------------------===//
// The layer of Mamba
//===----------------------------------------------------------------------===//

/// The whole S6 layer, with G groups and N = 3 states, in model IR.
const char *const kLayer = R"(
#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>
func.func @layer(%u: tensor<?x?x?xf16>, %delta: tensor<?x?x?xf16>,
    %A: tensor<?x3xf32>, %B: tensor<?x?x2x3xf16>, %C: tensor<?x?x2x3xf16>,
    %D: tensor<?xf32>, %z: tensor<?x?x?xf16>, %bias: tensor<?xf32>,
    %h0: tensor<?x?x3xf32>) -> (tensor<?x?x?xf16>, tensor<?x?x3xf32>) {
  %u32 = arith.extf %u : tensor<?x?x?xf16> to tensor<?x?x?xf32>
  %delta32 = arith.extf %delta : tensor<?x?x?xf16> to tensor<?x?x?xf32>
  %B32 = arith.extf %B : tensor<?x?x2x3xf16> to tensor<?x?x2x3xf32>
  %C32 = arith.extf %C : tensor<?x?x2x3xf16> to tensor<?x?x2x3xf32>
  %z32 = arith.extf %z : tensor<?x?x?xf16> to tensor<?x?x?xf32>
  %dt = linalg.generic {indexing_maps = [#bld, #d, #bld],
                        iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%delta32, %bias : tensor<?x?x?xf32>, tensor<?xf32>)
      outs(%delta32 : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %b: f32, %out: f32):
    %s = arith.addf %x, %b : f32
    %e = math.exp %s : f32
    %p = math.log1p %e : f32
    %c20 = arith.constant 20.0 : f32
    %big = arith.cmpf ogt, %s, %c20 : f32
    %r = arith.select %big, %s, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?x?xf32>
  %a, %b = ssm.discretize mamba %dt, %A, %B32, %u32
    : tensor<?x?x?xf32>, tensor<?x3xf32>, tensor<?x?x2x3xf32>,
      tensor<?x?x?xf32> -> tensor<?x?x?x3xf32>
  %h, %last = ssm.scan %a, %b init(%h0) : tensor<?x?x?x3xf32>, tensor<?x?x3xf32>
  %y = ssm.readout %h, %C32
    : tensor<?x?x?x3xf32>, tensor<?x?x2x3xf32> -> tensor<?x?x?xf32>
  %skip = linalg.generic {indexing_maps = [#bld, #d, #bld, #bld],
                          iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y, %D, %u32 : tensor<?x?x?xf32>, tensor<?xf32>, tensor<?x?x?xf32>)
      outs(%y : tensor<?x?x?xf32>) {
  ^bb0(%yy: f32, %dd: f32, %uu: f32, %out: f32):
    %du = arith.mulf %dd, %uu : f32
    %s = arith.addf %yy, %du : f32
    linalg.yield %s : f32
  } -> tensor<?x?x?xf32>
  %o = ssm.gate silu %skip, %z32 : tensor<?x?x?xf32>
  %o16 = arith.truncf %o : tensor<?x?x?xf32> to tensor<?x?x?xf16>
  return %o16, %last : tensor<?x?x?xf16>, tensor<?x?x3xf32>
}
)";

/// The same as one fused op.
const char *const kFusedLayer = R"(
func.func @layer(%u: tensor<?x?x?xf16>, %delta: tensor<?x?x?xf16>,
    %A: tensor<?x3xf32>, %B: tensor<?x?x2x3xf16>, %C: tensor<?x?x2x3xf16>,
    %D: tensor<?xf32>, %z: tensor<?x?x?xf16>, %bias: tensor<?xf32>,
    %h0: tensor<?x?x3xf32>) -> (tensor<?x?x?xf16>, tensor<?x?x3xf32>) {
  %o, %hT = ssm.fused (
      %u0 = %u[b, l, d] : tensor<?x?x?xf16>,
      %delta0 = %delta[b, l, d] : tensor<?x?x?xf16>,
      %a0 = %A[d, n] : tensor<?x3xf32>,
      %b0 = %B[b, l, g, n] : tensor<?x?x2x3xf16>,
      %c0 = %C[b, l, g, n] : tensor<?x?x2x3xf16>,
      %d0 = %D[d] : tensor<?xf32>, %z0 = %z[b, l, d] : tensor<?x?x?xf16>,
      %bias0 = %bias[d] : tensor<?xf32>,
      %init = %h0[b, d, n] : tensor<?x?x3xf32>)
      -> ([b, l, d] : tensor<?x?x?xf16>, [b, d, n] : tensor<?x?x3xf32>) {
    %u1 = arith.extf %u0 : f16 to f32
    %delta1 = arith.extf %delta0 : f16 to f32
    %s = arith.addf %delta1, %bias0 : f32
    %e = math.exp %s : f32
    %p = math.log1p %e : f32
    %c20 = arith.constant 20.0 : f32
    %big = arith.cmpf ogt, %s, %c20 : f32
    %dt = arith.select %big, %s, %p : f32
    %x = arith.mulf %dt, %a0 : f32
    %a = math.exp %x : f32
    %dtu = arith.mulf %dt, %u1 : f32
    %b1 = arith.extf %b0 : f16 to f32
    %b = arith.mulf %dtu, %b1 : f32
    %h, %last = ssm.recurrence %a, %b init(%init) : f32
    %c1 = arith.extf %c0 : f16 to f32
    %hc = arith.mulf %h, %c1 : f32
    %y = ssm.sum %hc over n : f32
    %du = arith.mulf %d0, %u1 : f32
    %skip = arith.addf %y, %du : f32
    %z1 = arith.extf %z0 : f16 to f32
    %nz = arith.negf %z1 : f32
    %ez = math.exp %nz : f32
    %one = arith.constant 1.0 : f32
    %denominator = arith.addf %one, %ez : f32
    %silu = arith.divf %z1, %denominator : f32
    %gated = arith.mulf %skip, %silu : f32
    %out = arith.truncf %gated : f32 to f16
    ssm.yield %out, %last : f16, f32
  }
  return %o, %hT : tensor<?x?x?xf16>, tensor<?x?x3xf32>
}
)";

struct LayerInputs {
  int64_t batches, steps, channels;
  ReferenceTensor u, delta, A, B, C, D, z, bias, h0;

  SmallVector<ReferenceTensor> all() const {
    return {u, delta, A, B, C, D, z, bias, h0};
  }
};

struct LayerResult {
  std::vector<Complex> out, last;
};

/// The formulas of the Mamba paper, G = 2, N = 3.
LayerResult runLayer(const LayerInputs &in) {
  int64_t L = in.steps, D = in.channels, N = 3, G = 2;
  LayerResult result;
  result.out.resize(in.batches * L * D);
  for (int64_t b = 0; b < in.batches; ++b)
    for (int64_t d = 0; d < D; ++d) {
      double h[3];
      for (int64_t n = 0; n < N; ++n)
        h[n] = in.h0.re[(b * D + d) * N + n];
      for (int64_t l = 0; l < L; ++l) {
        int64_t i = (b * L + l) * D + d;
        int64_t g = ((b * L + l) * G + d * G / D) * N;
        double s = in.delta.re[i] + in.bias.re[d];
        double dt = s > 20.0 ? s : std::log1p(std::exp(s));
        double y = in.D.re[d] * in.u.re[i];
        for (int64_t n = 0; n < N; ++n) {
          h[n] = std::exp(dt * in.A.re[d * N + n]) * h[n] +
                 dt * in.B.re[g + n] * in.u.re[i];
          y += h[n] * in.C.re[g + n];
        }
        result.out[i] = y * in.z.re[i] / (1.0 + std::exp(-in.z.re[i]));
      }
      result.last.insert(result.last.end(), h, h + N);
    }
  return result;
}

class LayerTest : public ReferenceTest {
protected:
  LayerInputs makeInputs(int64_t B, int64_t L, int64_t D) {
    return {B,
            L,
            D,
            random({B, L, D}, -1, 1),
            random({B, L, D}, -3, 30),
            random({D, 3}, -2, -0.1),
            random({B, L, 2, 3}, -1, 1),
            random({B, L, 2, 3}, -1, 1),
            random({D}, -1, 1),
            random({B, L, D}, -3, 3),
            random({D}, -1, 1),
            random({B, D, 3}, -1, 1)};
  }

  void check(const char *layer, int64_t B, int64_t L, int64_t D) {
    LayerInputs inputs = makeInputs(B, L, D);
    auto results = run(layer, inputs.all());
    ASSERT_EQ(results.size(), 2u);
    LayerResult expected = runLayer(inputs);
    expectNear(results[0], {B, L, D}, expected.out, 1e-13);
    expectNear(results[1], {B, D, 3}, expected.last, 1e-13);
  }
};

TEST_F(LayerTest, modelIR) { check(kLayer, 2, 5, 4); }
TEST_F(LayerTest, fused) { check(kFusedLayer, 2, 5, 4); }
TEST_F(LayerTest, modelIRWithoutSteps) { check(kLayer, 2, 0, 4); }
TEST_F(LayerTest, fusedWithoutSteps) { check(kFusedLayer, 2, 0, 4); }
TEST_F(LayerTest, modelIRWithoutSequences) { check(kLayer, 0, 5, 4); }
TEST_F(LayerTest, fusedWithoutSequences) { check(kFusedLayer, 0, 5, 4); }
TEST_F(LayerTest, fusedWithoutChannels) { check(kFusedLayer, 2, 5, 0); }

TEST_F(LayerTest, refusesGroupsThatDoNotDivideTheChannels) {
  LayerInputs inputs = makeInputs(1, 2, 3);
  EXPECT_NE(errorOf(kLayer, inputs.all())
                .find("argument 3 has 2 groups, which do not divide the 3 "
                      "channels"),
            std::string::npos)
      << errors;
}

TEST_F(LayerTest, refusesExtentsThatDisagree) {
  LayerInputs inputs = makeInputs(2, 5, 4);
  inputs.z = random({2, 6, 4}, -1, 1);
  EXPECT_NE(errorOf(kLayer, inputs.all())
                .find("argument 6 has extents [2, 6, 4], expected [2, 5, 4]"),
            std::string::npos)
      << errors;
}

TEST_F(LayerTest, fusedRefusesExtentsThatDisagree) {
  LayerInputs inputs = makeInputs(2, 5, 4);
  inputs.z = random({2, 6, 4}, -1, 1);
  EXPECT_NE(errorOf(kFusedLayer, inputs.all())
                .find("argument 6 has extent 6 of axis 'l', expected 5, that "
                      "of argument 0"),
            std::string::npos)
      << errors;
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

mamba::TensorSpec spec(std::initializer_list<mamba::Axis> axes) {
  mamba::TensorSpec result;
  for (mamba::Axis axis : axes)
    result.dims.push_back({axis, mamba::kDynamic});
  return result;
}

std::vector<mamba::TensorSpec> layerSpecs() {
  using enum mamba::Axis;
  auto bld = spec({Batch, Length, Channel});
  auto bgn = spec({Batch, Length, Group, State});
  auto bdn = spec({Batch, Channel, State});
  auto d = spec({Channel});
  return {bld, bld, spec({Channel, State}), bgn, bgn, d, bld, d, bdn, bld, bdn};
}

/// A view of a tensor's doubles, which stay the tensor's.
mamba::TensorView viewOf(ReferenceTensor &tensor) {
  return mamba::TensorView::contiguous(
      tensor.re.data(), mamba::DType::F64,
      std::span<const int64_t>(tensor.shape.data(), tensor.shape.size()));
}

class SliceTest : public LayerTest {
protected:
  /// Evaluates a slice of the layer and compares it with the same part of the
  /// whole.
  void check(const char *layer, ReferenceSlice slice) {
    LayerInputs inputs = makeInputs(3, 4, slice.numChannels);
    SmallVector<ReferenceTensor> tensors = inputs.all();
    SmallVector<mamba::TensorView> views;
    for (ReferenceTensor &tensor : tensors)
      views.push_back(viewOf(tensor));
    func::FuncOp function = parse(layer);
    auto whole = evaluateReference(function, tensors);
    std::vector<mamba::TensorSpec> specs = layerSpecs();
    auto part = evaluateReferenceSlice(function, views, specs, slice);
    ASSERT_TRUE(succeeded(whole) && succeeded(part)) << errors;
    for (size_t i = 0; i < whole->size(); ++i) {
      std::string error;
      auto expected =
          narrow(viewOf((*whole)[i]), specs[tensors.size() + i], slice, error);
      ASSERT_TRUE(expected) << error;
      expectNear((*part)[i], expected->shape, numbers(*expected), 0.0);
    }
  }
};

TEST_F(SliceTest, wholeGroup) { check(kLayer, {{2, 0}, 4, 8, 8}); }
TEST_F(SliceTest, partOfOneGroup) { check(kLayer, {{1}, 5, 7, 8}); }
TEST_F(SliceTest, fusedPartOfOneGroup) { check(kFusedLayer, {{1}, 1, 2, 8}); }

TEST_F(SliceTest, refusesToCutAGroup) {
  LayerInputs inputs = makeInputs(3, 4, 8);
  SmallVector<ReferenceTensor> tensors = inputs.all();
  std::string error;
  EXPECT_FALSE(
      narrow(viewOf(tensors[3]), layerSpecs()[3], {{0}, 2, 8, 8}, error));
  EXPECT_NE(error.find("groups of 4 channels, of which the slice [2, 8) cuts"),
            std::string::npos)
      << error;
}

TEST_F(SliceTest, refusesASequenceThatIsNotThere) {
  ReferenceTensor u = random({2, 3, 4}, 0, 1);
  std::string error;
  EXPECT_FALSE(narrow(viewOf(u), layerSpecs()[0], {{2}, 0, 4, 4}, error));
  EXPECT_EQ(error, "has 2 sequences, so none with number 2");
}

TEST_F(SliceTest, staticExtentsAndSplatConstantsFitTheSlice) {
  func::FuncOp function = parse(R"(
func.func @f(%x: tensor<3x4x8xf32>) -> (tensor<3x4x8xf32>, tensor<3x4x8xf32>) {
  %c = arith.constant dense<2.0> : tensor<3x4x8xf32>
  %y = arith.mulf %c, %x : tensor<3x4x8xf32>
  %e = tensor.empty() : tensor<3x4x8xf32>
  %one = arith.constant 1.0 : f32
  %f = linalg.fill ins(%one : f32) outs(%e : tensor<3x4x8xf32>)
    -> tensor<3x4x8xf32>
  return %y, %f : tensor<3x4x8xf32>, tensor<3x4x8xf32>
})");
  ReferenceTensor x = random({3, 4, 8}, 0, 1);
  using enum mamba::Axis;
  auto bld = spec({Batch, Length, Channel});
  ReferenceSlice slice{{1}, 2, 4, 8};
  auto part =
      evaluateReferenceSlice(function, viewOf(x), {bld, bld, bld}, slice);
  ASSERT_TRUE(succeeded(part)) << errors;
  std::vector<Complex> expected;
  for (int64_t l = 0; l < 4; ++l)
    for (int64_t d = 2; d < 4; ++d)
      expected.push_back(2.0 * x.re[(4 + l) * 8 + d]);
  expectNear((*part)[0], {1, 4, 2}, expected, 0.0);
  expectNear((*part)[1], {1, 4, 2}, std::vector<Complex>(8, 1.0), 0.0);
}

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

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

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

} // namespace
