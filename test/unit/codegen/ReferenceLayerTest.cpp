//===- ReferenceLayerTest.cpp - A whole layer on the reference ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The S6 layer in model IR and as a fused op, whole and in slices, against one
// loop written out from the paper's formulas.
//
//===----------------------------------------------------------------------===//

#include "test/unit/codegen/ReferenceTesting.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

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

} // namespace
