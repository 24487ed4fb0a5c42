//===- DifferentiateTest.cpp - Gradients beside finite differences --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every element of every gradient that --ssm-differentiate gives, run by the
// reference in double precision, beside the central difference of the function
// itself, for a loss that weighs each element of each result at random.
//
//===----------------------------------------------------------------------===//

#include "test/unit/passes/ReferenceTest.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

namespace {

using Tensors = SmallVector<ReferenceTensor>;

class Differentiate : public ReferenceTest {
protected:
  Differentiate() : ReferenceTest(11) {}

  /// Inputs lie between `low` and `high`.
  void check(const std::string &text, double low = -1, double high = 1);
  /// A unary op on real tensors, as an op on tensors and in a linalg.generic.
  void checkUnary(const std::string &op, double low = -1, double high = 1);
  void checkBinary(const std::string &op, double low = -1, double high = 1);

  Tensors run(func::FuncOp function, const Tensors &inputs);
};

} // namespace

Tensors Differentiate::run(func::FuncOp function, const Tensors &inputs) {
  auto results = evaluateReference(function, inputs);
  EXPECT_TRUE(succeeded(results));
  return succeeded(results) ? std::move(*results) : Tensors();
}

/// sum of re(conj(weight) result), whose gradient is the weight.
static double loss(const Tensors &results, const Tensors &weights) {
  double sum = 0;
  for (auto [result, weight] : llvm::zip(results, weights))
    for (int64_t i = 0; i < result.numElements(); ++i)
      sum += (std::conj(weight.get(i)) * result.get(i)).real();
  return sum;
}

void Differentiate::check(const std::string &text, double low, double high) {
  auto module = parseSourceString<ModuleOp>(text, &context);
  ASSERT_TRUE(module) << text;
  PassManager passes(&context);
  passes.addPass(createDifferentiatePass());
  ASSERT_TRUE(succeeded(passes.run(*module))) << text;
  auto forward = *module->getOps<func::FuncOp>().begin();
  auto backward = module->lookupSymbol<func::FuncOp>(
      (forward.getName() + "_backward").str());
  ASSERT_TRUE(backward);
  Tensors inputs, weights;
  for (Type type : forward.getArgumentTypes())
    inputs.push_back(random(cast<RankedTensorType>(type), low, high));
  for (Type type : forward.getResultTypes())
    weights.push_back(random(cast<RankedTensorType>(type), -1, 1));
  Tensors all(inputs);
  all.append(weights.begin(), weights.end());
  Tensors gradients = run(backward, all);
  ASSERT_EQ(gradients.size(), inputs.size()) << text;
  constexpr double kStep = 1e-5;
  for (size_t k = 0; k < inputs.size(); ++k) {
    ASSERT_EQ(gradients[k].shape, inputs[k].shape) << text;
    for (int64_t i = 0; i < inputs[k].numElements(); ++i)
      for (std::complex<double> direction :
           {std::complex<double>(1, 0), std::complex<double>(0, 1)}) {
        if (direction.imag() != 0 && !inputs[k].isComplex)
          continue;
        auto lossAt = [&](double step) {
          Tensors moved(inputs);
          moved[k].set(i, moved[k].get(i) + step * direction);
          return loss(run(forward, moved), weights);
        };
        double expected = (lossAt(kStep) - lossAt(-kStep)) / (2 * kStep);
        double found = (std::conj(direction) * gradients[k].get(i)).real();
        ASSERT_NEAR(found, expected, 1e-7 * (1 + std::abs(expected)))
            << "element " << i << " of argument " << k << "\n"
            << text;
      }
  }
}

void Differentiate::checkUnary(const std::string &op, double low, double high) {
  check("func.func @f(%x: tensor<2x3xf64>) -> tensor<2x3xf64> {\n"
        "%y = " +
            op + " %x : tensor<2x3xf64>\nreturn %y : tensor<2x3xf64>\n}",
        low, high);
  check("#m = affine_map<(i, j) -> (i, j)>\n"
        "func.func @f(%x: tensor<2x3xf64>) -> tensor<2x3xf64> {\n"
        "%y = linalg.generic {indexing_maps = [#m, #m], iterator_types = "
        "[\"parallel\", \"parallel\"]} ins(%x : tensor<2x3xf64>) outs(%x : "
        "tensor<2x3xf64>) {\n^bb0(%e: f64, %o: f64):\n%r = " +
            op + " %e : f64\nlinalg.yield %r : f64\n} -> tensor<2x3xf64>\n" +
            "return %y : tensor<2x3xf64>\n}",
        low, high);
}

void Differentiate::checkBinary(const std::string &op, double low,
                                double high) {
  check("func.func @f(%x: tensor<2x3xf64>, %z: tensor<2x3xf64>) -> "
        "tensor<2x3xf64> {\n%y = " +
            op + " %x, %z : tensor<2x3xf64>\nreturn %y : tensor<2x3xf64>\n}",
        low, high);
}

//===----------------------------------------------------------------------===//
// Scalar ops
//===----------------------------------------------------------------------===//

TEST_F(Differentiate, RealOpsOfOneNumber) {
  for (std::string op :
       {"arith.negf", "math.exp", "math.exp2", "math.expm1", "math.tanh",
        "math.sin", "math.cos", "math.tan", "math.sinh", "math.cosh",
        "math.asinh", "math.atan", "math.erf", "math.erfc", "math.absf",
        "math.floor", "math.round"})
    checkUnary(op);
  for (std::string op : {"math.asin", "math.acos", "math.atanh"})
    checkUnary(op, -0.9, 0.9);
  for (std::string op : {"math.log", "math.log2", "math.log10", "math.log1p",
                         "math.sqrt", "math.rsqrt", "math.cbrt"})
    checkUnary(op, 0.5, 2);
  checkUnary("math.acosh", 1.5, 3);
}

TEST_F(Differentiate, RealOpsOfTwoNumbers) {
  for (std::string op :
       {"arith.addf", "arith.subf", "arith.mulf", "arith.maximumf",
        "arith.minimumf", "arith.maxnumf", "arith.minnumf", "math.copysign"})
    checkBinary(op);
  for (std::string op : {"arith.divf", "math.powf", "math.atan2"})
    checkBinary(op, 0.5, 2);
}

/// A body of complex numbers, real at both ends.
TEST_F(Differentiate, ComplexOps) {
  for (std::string op :
       {"complex.add %a, %b", "complex.sub %a, %b", "complex.mul %a, %b",
        "complex.div %a, %b", "complex.neg %a", "complex.conj %a",
        "complex.exp %a", "complex.log %a", "complex.sqrt %a",
        "complex.tanh %a", "complex.sin %a", "complex.cos %a"})
    check("#m = affine_map<(i) -> (i)>\n"
          "func.func @f(%x: tensor<3xcomplex<f64>>, %z: tensor<3xcomplex<f64>>)"
          " -> tensor<3xcomplex<f64>> {\n%y = linalg.generic {indexing_maps = "
          "[#m, #m, #m], iterator_types = [\"parallel\"]} ins(%x, %z : "
          "tensor<3xcomplex<f64>>, tensor<3xcomplex<f64>>) outs(%x : "
          "tensor<3xcomplex<f64>>) {\n^bb0(%a: complex<f64>, %b: complex<f64>, "
          "%o: complex<f64>):\n%r = " +
              op +
              " : complex<f64>\n"
              "%s = complex.re %r : complex<f64>\n"
              "%i = complex.im %r : complex<f64>\n"
              "%n = complex.abs %r : complex<f64>\n"
              "%p = arith.mulf %s, %n : f64\n"
              "%c = complex.create %p, %i : complex<f64>\n"
              "linalg.yield %c : complex<f64>\n} -> "
              "tensor<3xcomplex<f64>>\nreturn %y : "
              "tensor<3xcomplex<f64>>\n}",
          0.3, 1.5);
}

static const char *const kBody =
    "#m = affine_map<(i) -> (i)>\n"
    "func.func @f(%x: tensor<5xf64>) -> tensor<5xf64> {\n"
    "%y = linalg.generic {indexing_maps = [#m, #m], iterator_types = "
    "[\"parallel\"]} ins(%x : tensor<5xf64>) outs(%x : tensor<5xf64>) {\n"
    "^bb0(%e: f64, %o: f64):\n";
static const char *const kBodyEnd =
    "linalg.yield %r : f64\n} -> tensor<5xf64>\nreturn %y : tensor<5xf64>\n}";

TEST_F(Differentiate, BranchesAndRepeatedUse) {
  check(std::string(kBody) +
        "%c = arith.constant 0.1 : f64\n"
        "%big = arith.cmpf ogt, %e, %c : f64\n"
        "%s = math.sin %e : f64\n%p = arith.mulf %s, %e : f64\n"
        "%q = math.fma %p, %e, %s : f64\n"
        "%r = arith.select %big, %p, %q : f64\n" +
        kBodyEnd);
}

/// Where a part of them overflows, even in double precision.
TEST_F(Differentiate, SoftplusAndLogisticFarOut) {
  const std::string softplus = "%s = math.exp %e : f64\n"
                               "%r = math.log1p %s : f64\n";
  const std::string silu = "%one = arith.constant 1.0 : f64\n"
                           "%n = arith.negf %e : f64\n"
                           "%s = math.exp %n : f64\n"
                           "%t = arith.addf %one, %s : f64\n"
                           "%r = arith.divf %e, %t : f64\n";
  for (const std::string &body : {softplus, silu}) {
    check(kBody + body + kBodyEnd, -3, 3);
    check(kBody + body + kBodyEnd, -705, -701);
  }
  check(kBody + silu + kBodyEnd, -900, -800);
  check(kBody + silu + kBodyEnd, 800, 900);
  // log(1 + exp(x)), and all three as ops on tensors.
  const std::string log = "%one = arith.constant 1.0 : f64\n"
                          "%s = math.exp %e : f64\n"
                          "%t = arith.addf %s, %one : f64\n"
                          "%r = math.log %t : f64\n";
  check(kBody + log + kBodyEnd, -3, 3);
  for (std::string body : {softplus, silu, log}) {
    for (auto [from, to] :
         {std::pair(" : f64", " : tensor<5xf64>"),
          std::pair("1.0", "dense<1.0>"), std::pair("%e", "%x")})
      for (size_t at = 0; (at = body.find(from, at)) != std::string::npos;
           at += std::string(to).size())
        body.replace(at, std::string(from).size(), to);
    std::string text = "func.func @f(%x: tensor<5xf64>) -> tensor<5xf64> {\n" +
                       body + "return %r : tensor<5xf64>\n}";
    check(text, -3, 3);
    check(text, -705, -701);
  }
}

/// Where a rule's parts are no numbers, but the gradient is one.
TEST_F(Differentiate, AtZero) {
  check(std::string(kBody) +
            "%two = arith.constant 2.0 : f64\n"
            "%d = arith.subf %e, %two : f64\n%q = arith.mulf %d, %d : f64\n"
            "%r = math.powf %q, %e : f64\n" +
            kBodyEnd,
        2, 2);
  check(std::string(kBody) +
            "%d = arith.negf %e : f64\n"
            "%c = complex.create %e, %d : complex<f64>\n"
            "%r = complex.abs %c : complex<f64>\n" +
            kBodyEnd,
        0, 0);
}

//===----------------------------------------------------------------------===//
// Structured ops
//===----------------------------------------------------------------------===//

TEST_F(Differentiate, BroadcastsTransposesAndSums) {
  check("#ij = affine_map<(i, j) -> (i, j)>\n#ji = affine_map<(i, j) -> (j, i)>"
        "\n#j = affine_map<(i, j) -> (j)>\n#one = affine_map<(i, j) -> (0, j)>"
        "\nfunc.func @f(%x: tensor<2x3xf64>, %t: tensor<3x2xf64>, %b: "
        "tensor<3xf64>, %o: tensor<1x3xf64>) -> (tensor<2x3xf64>, "
        "tensor<2x3xf64>) {\n%y:2 = linalg.generic {indexing_maps = [#ij, #ji, "
        "#j, #one, #ij, #ij], iterator_types = [\"parallel\", \"parallel\"]} "
        "ins(%x, %t, %b, %o : tensor<2x3xf64>, tensor<3x2xf64>, tensor<3xf64>, "
        "tensor<1x3xf64>) outs(%x, %x : tensor<2x3xf64>, tensor<2x3xf64>) {\n"
        "^bb0(%e: f64, %f: f64, %g: f64, %h: f64, %p: f64, %q: f64):\n"
        "%0 = arith.mulf %e, %f : f64\n%1 = arith.mulf %g, %h : f64\n"
        "%2 = arith.addf %0, %1 : f64\n%3 = arith.mulf %2, %q : f64\n"
        "linalg.yield %2, %3 : f64, f64\n} -> (tensor<2x3xf64>, "
        "tensor<2x3xf64>)\nreturn %y#0, %y#1 : tensor<2x3xf64>, "
        "tensor<2x3xf64>\n}");
  check("func.func @f(%x: tensor<2x4xf64>, %w: tensor<4x3xf64>, %c: "
        "tensor<2x3xf64>) -> tensor<2x3xf64> {\n%y = linalg.matmul ins(%x, %w "
        ": tensor<2x4xf64>, tensor<4x3xf64>) outs(%c : tensor<2x3xf64>) -> "
        "tensor<2x3xf64>\nreturn %y : tensor<2x3xf64>\n}");
  check("func.func @f(%x: tensor<3xf64>, %unused: tensor<2xf64>) -> "
        "(tensor<3xf64>, tensor<3xf64>) {\n%y = arith.mulf %x, %x : "
        "tensor<3xf64>\nreturn %y, %x : tensor<3xf64>, tensor<3xf64>\n}");
}

//===----------------------------------------------------------------------===//
// ssm ops
//===----------------------------------------------------------------------===//

TEST_F(Differentiate, Discretize) {
  const std::string u = "tensor<2x3x4xf64>", perChannel = "tensor<4xf64>";
  auto layer = [&](const std::string &rule, const std::string &delta,
                   const std::string &A, const std::string &B, bool isComplex) {
    std::string states =
        isComplex ? "tensor<2x3x4x2xcomplex<f64>>" : "tensor<2x3x4x2xf64>";
    return "func.func @f(%delta: " + delta + ", %A: " + A + ", %B: " + B +
           ", %u: " + u + ") -> (" + states + ", " + states +
           ") {\n%a, %b = ssm.discretize " + rule +
           " %delta, %A, %B, %u : " + delta + ", " + A + ", " + B + ", " + u +
           " -> " + states + "\nreturn %a, %b : " + states + ", " + states +
           "\n}";
  };
  const std::string real = "tensor<4x2xf64>", grouped = "tensor<2x3x2x2xf64>";
  const std::string complex = "tensor<4x2xcomplex<f64>>";
  const std::string groupedComplex = "tensor<2x3x2x2xcomplex<f64>>";
  for (std::string rule : {"zoh", "mamba", "bilinear", "euler"})
    for (const std::string &delta : {u, perChannel}) {
      check(layer(rule, delta, real, grouped, false));
      check(layer(rule, delta, real, "tensor<2x3x1x2xf64>", false));
      check(layer(rule, delta, real, real, false));
      check(layer(rule, delta, complex, groupedComplex, true));
      check(layer(rule, delta, complex, real, true));
      check(layer(rule, delta, real, groupedComplex, true));
    }
  // Around the switch between series and quotient, and beyond it.
  check(layer("zoh", u, real, real, false), 0.5, 0.9);
  check(layer("zoh", u, real, real, false), -1e-4, 1e-4);
}

TEST_F(Differentiate, Scan) {
  auto scan = [](const std::string &keywords, const std::string &shape,
                 const std::string &last, const std::string &init,
                 const std::string &element) {
    auto tensor = [&](const std::string &extents) {
      return "tensor<" + extents + "x" + element + ">";
    };
    std::string text =
        "func.func @f(%a: " + tensor(shape) + ", %b: " + tensor(shape);
    if (!init.empty())
      text += ", %h: " + tensor(init);
    text += ") -> (" + tensor(shape) + ", " + tensor(last) +
            ") {\n%s, %l = ssm.scan " + keywords + " %a, %b" +
            (init.empty() ? "" : " init(%h)") + " : " + tensor(shape) +
            (init.empty() ? "" : ", " + tensor(init)) +
            "\nreturn %s, %l : " + tensor(shape) + ", " + tensor(last) + "\n}";
    return text;
  };
  for (std::string element : {"f64", "complex<f64>"})
    for (std::string keywords :
         {"", "reverse", "exclusive", "reverse exclusive"}) {
      check(scan(keywords, "2x4x3x2", "2x3x2", "", element));
      check(scan(keywords, "2x4x3x2", "2x3x2", "2x3x2", element));
      check(scan(keywords, "2x4x3x2", "2x3x2", "3x2", element));
      check(scan(keywords, "2x4x3", "2x3", "2x3", element));
      check(scan(keywords, "2x1x3", "2x3", "3", element));
      check(scan(keywords, "2x0x3", "2x3", "2x3", element));
    }
}

/// Only one of a scan's results is used.
TEST_F(Differentiate, ScanInParts) {
  for (std::string result : {"s", "l"}) {
    std::string type = result == "s" ? "tensor<2x4x3xf64>" : "tensor<2x3xf64>";
    check("func.func @f(%a: tensor<2x4x3xf64>, %b: tensor<2x4x3xf64>) -> " +
          type + " {\n%s, %l = ssm.scan %a, %b : tensor<2x4x3xf64>\nreturn %" +
          result + " : " + type + "\n}");
  }
}

TEST_F(Differentiate, ReadoutAndGate) {
  auto readout = [](const std::string &h, const std::string &C) {
    return "func.func @f(%h: " + h + ", %C: " + C +
           ") -> tensor<2x3x4xf64> {\n%y = ssm.readout %h, %C : " + h + ", " +
           C + " -> tensor<2x3x4xf64>\nreturn %y : tensor<2x3x4xf64>\n}";
  };
  for (std::string h : {"tensor<2x3x4x2xf64>", "tensor<2x3x4x2xcomplex<f64>>"})
    for (std::string C :
         {"tensor<4x2xf64>", "tensor<4x2xcomplex<f64>>", "tensor<2x3x1x2xf64>",
          "tensor<2x3x2x2xcomplex<f64>>", "tensor<2x3x4x2xf64>"})
      check(readout(h, C));
  for (std::string activation : {"identity", "silu", "sigmoid", "gelu"})
    for (double size : {2.0, 900.0})
      check("func.func @f(%y: tensor<2x3xf64>, %z: tensor<2x3xf64>) -> "
            "tensor<2x3xf64> {\n%o = ssm.gate " +
                activation +
                " %y, %z : tensor<2x3xf64>\nreturn %o : tensor<2x3xf64>\n}",
            -size, activation == "gelu" || size < 10 ? size : -size / 2);
}

//===----------------------------------------------------------------------===//
// Fused
//===----------------------------------------------------------------------===//

/// Gradients of what has all axes need no sums over them, and are kernels
/// today.
TEST_F(Differentiate, FusedGradientsOfRecurrences) {
  const std::string x = "tensor<2x5x3x2xf64>", last = "tensor<2x3x2xf64>";
  const std::string tail = " = arith.mulf %s, %b : " + x + "\n%e = math.tanh " +
                           "%y : " + x + "\nreturn %e, %l : " + x + ", " + last;
  for (std::string direction : {"", "reverse "}) {
    auto module = parseSourceString<ModuleOp>(
        "func.func @f(%a: " + x + ", %b: " + x + ", %h: " + last + ") -> (" +
            x + ", " + last + ") {\n%s, %l = ssm.scan " + direction +
            "%a, %b init(%h) : " + x + ", " + last + "\n%y" + tail + "\n}",
        &context);
    ASSERT_TRUE(module);
    PassManager passes(&context);
    passes.addPass(createDifferentiatePass());
    ASSERT_TRUE(succeeded(passes.run(*module)));
    auto backward = module->lookupSymbol<func::FuncOp>("f_backward");
    Tensors inputs;
    for (Type type : backward.getArgumentTypes())
      inputs.push_back(random(cast<RankedTensorType>(type), -1, 1));
    Tensors expected = run(backward, inputs);
    PassManager fusion(&context);
    fusion.addNestedPass<func::FuncOp>(createFusePass());
    fusion.addPass(createSimplifyBodyPass());
    ASSERT_TRUE(succeeded(fusion.run(*module)));
    EXPECT_EQ(llvm::range_size(backward.getOps<FusedOp>()), 1);
    Tensors found = run(backward, inputs);
    ASSERT_EQ(found.size(), expected.size());
    for (auto [f, e] : llvm::zip(found, expected))
      for (int64_t i = 0; i < e.numElements(); ++i)
        EXPECT_NEAR(f.get(i).real(), e.get(i).real(), 1e-13);
  }
}

//===----------------------------------------------------------------------===//
// Whole layers
//===----------------------------------------------------------------------===//

/// Layers that no one wrote: activations of (b, l, d) that random ops combine,
/// some of them through a recurrence.
static std::string randomLayer(std::mt19937 &random) {
  auto pick = [&](unsigned count) {
    return std::uniform_int_distribution<unsigned>(0, count - 1)(random);
  };
  const std::string x = "tensor<2x3x2xf64>", s = "tensor<2x3x2x2xf64>";
  const std::string B = "tensor<2x3x1x2xf64>", A = "tensor<2x2xf64>";
  std::string body;
  unsigned count = 2;
  auto value = [&] { return "%v" + std::to_string(pick(count)); };
  auto define = [&](const std::string &op, const std::string &types) {
    body += "%v" + std::to_string(count) + " = " + op + " : " + types + "\n";
    ++count;
  };
  const char *unary[] = {"math.tanh", "math.sin", "arith.negf", "math.erf"};
  const char *binary[] = {"arith.addf", "arith.mulf", "arith.subf",
                          "arith.maximumf"};
  const char *rules[] = {"zoh", "mamba", "bilinear", "euler"};
  const char *gates[] = {"identity", "silu", "sigmoid", "gelu"};
  for (unsigned i = 0; i < 6; ++i) {
    std::string id = std::to_string(i);
    switch (pick(4)) {
    case 0:
      define(unary[pick(4)] + std::string(" ") + value(), x);
      break;
    case 1:
      define(binary[pick(4)] + std::string(" ") + value() + ", " + value(), x);
      break;
    case 2:
      define("ssm.gate " + std::string(gates[pick(4)]) + " " + value() + ", " +
                 value(),
             x);
      break;
    default:
      body += "%a" + id + ", %b" + id + " = ssm.discretize " + rules[pick(4)] +
              " " + value() + ", %A, %B, " + value() + " : " + x + ", " + A +
              ", " + B + ", " + x + " -> " + s + "\n%h" + id + ", %l" + id +
              " = ssm.scan " + (pick(2) ? "reverse " : "") + "%a" + id +
              ", %b" + id + " : " + s + "\n";
      define("ssm.readout %h" + id + ", %C", s + ", " + B + " -> " + x);
    }
  }
  return "func.func @f(%v0: " + x + ", %v1: " + x + ", %A: " + A +
         ", %B: " + B + ", %C: " + B + ") -> " + x + " {\n" + body +
         "return %v" + std::to_string(count - 1) + " : " + x + "\n}";
}

TEST_F(Differentiate, RandomLayers) {
  for (int i = 0; i < 200 && !HasFatalFailure(); ++i)
    check(randomLayer(generator), -0.9, 0.9);
}
