//===- ModuleText.cpp - The module that a case compiles -------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function is written from its inside out: operations first, the signature
// around them when the arguments and results are known.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/ModuleText.h"

#include "test/e2e/numerics/RandomBody.h"

#include <fmt/format.h>
#include <tuple>
#include <vector>

using namespace mamba;
using namespace mamba::numerics;

namespace {

/// A value in fp32: its name, its axes, and whether it is complex.
struct Value {
  std::string name;
  std::string axes;
  bool isComplex = false;
};

class FunctionWriter {
public:
  explicit FunctionWriter(const Case &test)
      : test(test), activation(test.get("type")),
        stored(test.is("store", "act") ? activation : "f32") {}

  std::string write();

private:
  // Types.
  std::string extent(char axis) const;
  std::string type(std::string_view axes, std::string_view element) const;
  std::string typeOf(const Value &value) const;

  // Operations.
  std::string fresh() { return fmt::format("%v{}", counter++); }
  /// An argument in memory as `element`, widened to fp32.
  Value argument(const std::string &name, std::string_view axes,
                 std::string_view element);
  Value parameter(const std::string &name, std::string_view axes,
                  bool isComplex = false);
  /// Elementwise over (b, l, d): `body` reads %x0, %x1, ... and yields
  /// `yields`.
  std::vector<Value> map(const std::vector<Value> &inputs,
                         std::string_view body,
                         const std::vector<std::string> &yields);
  Value sum(const Value &x, const Value &y);
  /// {a, b} of the recurrence h_t = a h_(t-1) + b.
  std::pair<Value, Value> discretize(const Value &step, const Value &A,
                                     const Value &B, const Value &u);
  /// {states, last}.
  std::pair<Value, Value> scan(const Value &a, const Value &b, bool reverse,
                               bool withInit);
  Value readout(const Value &states, const Value &C);
  Value gate(const Value &y);
  Value softplus(const Value &x, const Value *bias);
  Value step();
  /// A (d, n) or (b, l, g, n) argument B or C.
  Value inputMatrix(const std::string &name);
  void result(const Value &value, std::string_view element);

  // Bodies.
  void selective();
  void gatedRnn();
  void linearRecurrentUnit();
  void elementwise();
  void fused();
  void finish(const Value &u, Value y);
  void yieldStates(const Value &states, const Value &last);

  const Case &test;
  std::string activation;
  std::string stored;
  std::string arguments, operations, results, resultTypes;
  int counter = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::string FunctionWriter::extent(char axis) const {
  bool isAll = test.is("static", "all");
  switch (axis) {
  case 'b':
    return isAll ? std::string(test.get("B")) : "?";
  case 'l':
    return isAll ? std::string(test.get("L")) : "?";
  case 'd':
    return isAll || test.is("static", "d") ? std::string(test.get("D")) : "?";
  case 'g':
    return std::to_string(test.groups());
  default:
    return std::string(test.get("N"));
  }
}

std::string FunctionWriter::type(std::string_view axes,
                                 std::string_view element) const {
  std::string text = "tensor<";
  for (char axis : axes)
    text += extent(axis) + "x";
  return fmt::format("{}{}>", text, element);
}

std::string FunctionWriter::typeOf(const Value &value) const {
  return type(value.axes, value.isComplex ? "complex<f32>" : "f32");
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Value FunctionWriter::argument(const std::string &name, std::string_view axes,
                               std::string_view element) {
  arguments += fmt::format("{}%{}: {}", arguments.empty() ? "" : ",\n    ",
                           name, type(axes, element));
  Value value{"%" + name, std::string(axes), element == "complex<f32>"};
  if (element == "f32" || value.isComplex)
    return value;
  Value wide{fresh(), std::string(axes)};
  operations += fmt::format("  {} = arith.extf {} : {} to {}\n", wide.name,
                            value.name, type(axes, element), typeOf(wide));
  return wide;
}

Value FunctionWriter::parameter(const std::string &name, std::string_view axes,
                                bool isComplex) {
  return argument(name, axes, isComplex ? "complex<f32>" : "f32");
}

std::vector<Value> FunctionWriter::map(const std::vector<Value> &inputs,
                                       std::string_view body,
                                       const std::vector<std::string> &yields) {
  const Value *full = nullptr;
  std::string maps, names, types, blockArguments, outs, outTypes, iterators;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value &input = inputs[i];
    maps += fmt::format("#{}, ", input.axes);
    names += (i ? ", " : "") + input.name;
    types += (i ? ", " : "") + typeOf(input);
    blockArguments += fmt::format("%x{}: f32, ", i);
    if (input.axes == "bld")
      full = &input;
  }
  std::vector<Value> values;
  std::string yielded, yieldedTypes, resultNames;
  for (size_t i = 0; i < yields.size(); ++i) {
    std::string comma = i ? ", " : "";
    values.push_back({fresh(), "bld"});
    resultNames += comma + values.back().name;
    maps += comma + "#bld";
    outs += comma + full->name;
    outTypes += comma + typeOf(*full);
    blockArguments += fmt::format("{}%o{}: f32", comma, i);
    yielded += comma + yields[i];
    yieldedTypes += comma + "f32";
  }
  operations += fmt::format(
      "  {} = linalg.generic {{indexing_maps = [{}],\n"
      "      iterator_types = [\"parallel\", \"parallel\", \"parallel\"]}}\n"
      "      ins({} : {})\n      outs({} : {}) {{\n  ^bb0({}):\n{}"
      "    linalg.yield {} : {}\n  }} -> ({})\n",
      resultNames, maps, names, types, outs, outTypes, blockArguments, body,
      yielded, yieldedTypes, outTypes);
  return values;
}

Value FunctionWriter::sum(const Value &x, const Value &y) {
  Value value{fresh(), x.axes, x.isComplex};
  operations += fmt::format("  {} = arith.addf {}, {} : {}\n", value.name,
                            x.name, y.name, typeOf(x));
  return value;
}

std::pair<Value, Value> FunctionWriter::discretize(const Value &step,
                                                   const Value &A,
                                                   const Value &B,
                                                   const Value &u) {
  bool isComplex = A.isComplex || B.isComplex;
  Value a{fresh(), "bldn", isComplex}, b{fresh(), "bldn", isComplex};
  operations += fmt::format(
      "  {}, {} = ssm.discretize {} {}, {}, {}, {}\n    : {}, {}, {}, {} -> "
      "{}\n",
      a.name, b.name, test.get("rule"), step.name, A.name, B.name, u.name,
      typeOf(step), typeOf(A), typeOf(B), typeOf(u), typeOf(a));
  return {a, b};
}

std::pair<Value, Value> FunctionWriter::scan(const Value &a, const Value &b,
                                             bool reverse, bool withInit) {
  std::string rest = a.axes.substr(3);
  std::string init, initType;
  if (withInit) {
    std::string axes = (test.is("init", "dn") ? "d" : "bd") + rest;
    Value h0 = argument("h0", axes, a.isComplex ? "complex<f32>" : stored);
    init = fmt::format(" init({})", h0.name);
    initType = ", " + typeOf(h0);
  }
  Value states{fresh(), a.axes, a.isComplex};
  Value last{fresh(), "bd" + rest, a.isComplex};
  operations += fmt::format("  {}, {} = ssm.scan{} {}, {}{} : {}{}\n",
                            states.name, last.name, reverse ? " reverse" : "",
                            a.name, b.name, init, typeOf(a), initType);
  return {states, last};
}

Value FunctionWriter::readout(const Value &states, const Value &C) {
  Value y{fresh(), "bld"};
  operations +=
      fmt::format("  {} = ssm.readout {}, {} : {}, {} -> {}\n", y.name,
                  states.name, C.name, typeOf(states), typeOf(C), typeOf(y));
  return y;
}

Value FunctionWriter::gate(const Value &y) {
  Value z = argument("z", "bld", activation);
  Value value{fresh(), "bld"};
  operations += fmt::format("  {} = ssm.gate {} {}, {} : {}\n", value.name,
                            test.get("gate"), y.name, z.name, typeOf(y));
  return value;
}

Value FunctionWriter::softplus(const Value &x, const Value *bias) {
  std::vector<Value> inputs = {x};
  std::string body = "    %zero = arith.constant -0.0 : f32\n"
                     "    %s = arith.addf %x0, %zero : f32\n";
  if (bias) {
    inputs.push_back(*bias);
    body = "    %s = arith.addf %x0, %x1 : f32\n";
  }
  body += "    %e = math.exp %s : f32\n"
          "    %p = math.log1p %e : f32\n"
          "    %c20 = arith.constant 20.0 : f32\n"
          "    %big = arith.cmpf ogt, %s, %c20 : f32\n"
          "    %r = arith.select %big, %s, %p : f32\n";
  return map(inputs, body, {"%r"}).front();
}

Value FunctionWriter::step() {
  Value delta = argument("delta", "bld", activation);
  if (test.is("step", "raw"))
    return delta;
  if (test.is("step", "softplus"))
    return softplus(delta, nullptr);
  Value bias = parameter("bias", "d");
  return softplus(delta, &bias);
}

Value FunctionWriter::inputMatrix(const std::string &name) {
  if (test.is("body", "lti"))
    return parameter(name, "dn", test.has("complex"));
  return argument(name, "blgn", activation);
}

void FunctionWriter::result(const Value &value, std::string_view element) {
  std::string narrow = value.name;
  std::string resultType =
      value.isComplex ? typeOf(value) : type(value.axes, element);
  if (element != "f32" && !value.isComplex) {
    narrow = fresh();
    operations += fmt::format("  {} = arith.truncf {} : {} to {}\n", narrow,
                              value.name, typeOf(value), resultType);
  }
  results += (results.empty() ? "" : ", ") + narrow;
  resultTypes += (resultTypes.empty() ? "" : ", ") + resultType;
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// Skip, gate, and the result in the activations' type.
void FunctionWriter::finish(const Value &u, Value y) {
  if (test.has("skip")) {
    Value D = parameter("D", "d");
    y = map({y, D, u},
            "    %du = arith.mulf %x1, %x2 : f32\n"
            "    %s = arith.addf %x0, %du : f32\n",
            {"%s"})
            .front();
  }
  if (!test.is("gate", "none"))
    y = gate(y);
  result(y, activation);
}

void FunctionWriter::yieldStates(const Value &states, const Value &last) {
  if (!test.is("out", "y"))
    result(states, stored);
  if (test.has("last"))
    result(last, stored);
}

/// The layers whose states have an axis n.
void FunctionWriter::selective() {
  bool isComplex = test.has("complex"), isReverse = test.has("reverse");
  bool withInit = !test.is("init", "none");
  Value u = argument("u", "bld", activation);
  Value dt = test.is("body", "lti") ? parameter("delta", "d") : step();
  Value A = parameter("A", "dn", isComplex);
  Value B = inputMatrix("B");
  auto [a, b] = discretize(dt, A, B, u);
  auto [states, last] = scan(a, b, isReverse, withInit);
  if (test.is("body", "chained"))
    std::tie(states, last) = scan(a, states, isReverse, false);
  if (test.is("out", "states"))
    return yieldStates(states, last);
  Value C = inputMatrix("C");
  Value y = readout(states, C);
  if (test.is("body", "bidirectional")) {
    auto [back, first] = scan(a, b, !isReverse, false);
    y = sum(y, readout(back, C));
  }
  if (test.is("body", "two")) {
    auto [a2, b2] = discretize(dt, parameter("A2", "dn", isComplex), B, u);
    y = sum(y, readout(scan(a2, b2, isReverse, false).first, C));
  }
  if (test.is("body", "stacked")) {
    auto [a2, b2] = discretize(dt, A, B, y);
    y = readout(scan(a2, b2, isReverse, false).first, C);
  }
  finish(u, y);
  yieldStates(states, last);
}

/// minGRU (Feng et al. 2024): h_t = (1 - g_t) h_(t-1) + g_t x_t.
void FunctionWriter::gatedRnn() {
  Value u = argument("u", "bld", activation);
  Value update = argument("update", "bld", activation);
  std::vector<Value> ab = map({update, u},
                              "    %n = arith.negf %x0 : f32\n"
                              "    %e = math.exp %n : f32\n"
                              "    %one = arith.constant 1.0 : f32\n"
                              "    %s = arith.addf %one, %e : f32\n"
                              "    %g = arith.divf %one, %s : f32\n"
                              "    %keep = arith.subf %one, %g : f32\n"
                              "    %in = arith.mulf %g, %x1 : f32\n",
                              {"%keep", "%in"});
  auto [states, last] =
      scan(ab[0], ab[1], test.has("reverse"), !test.is("init", "none"));
  result(states, activation);
  if (test.has("last"))
    result(last, stored);
}

/// The RG-LRU of Griffin (De et al. 2024, section 2.4).
void FunctionWriter::linearRecurrentUnit() {
  Value u = argument("u", "bld", activation);
  Value recurrence = argument("recurrence", "bld", activation);
  Value input = argument("input", "bld", activation);
  Value lambda = parameter("lambda", "d");
  std::vector<Value> ab = map({u, recurrence, input, lambda},
                              "    %one = arith.constant 1.0 : f32\n"
                              "    %c = arith.constant -8.0 : f32\n"
                              "    %nr = arith.negf %x1 : f32\n"
                              "    %er = math.exp %nr : f32\n"
                              "    %sr = arith.addf %one, %er : f32\n"
                              "    %el = math.exp %x3 : f32\n"
                              "    %sp = math.log1p %el : f32\n"
                              "    %csp = arith.mulf %c, %sp : f32\n"
                              "    %log = arith.divf %csp, %sr : f32\n"
                              "    %a = math.exp %log : f32\n"
                              "    %aa = arith.mulf %a, %a : f32\n"
                              "    %rest = arith.subf %one, %aa : f32\n"
                              "    %scale = math.sqrt %rest : f32\n"
                              "    %ni = arith.negf %x2 : f32\n"
                              "    %ei = math.exp %ni : f32\n"
                              "    %si = arith.addf %one, %ei : f32\n"
                              "    %gated = arith.divf %x0, %si : f32\n"
                              "    %in = arith.mulf %scale, %gated : f32\n",
                              {"%a", "%in"});
  auto [states, last] =
      scan(ab[0], ab[1], test.has("reverse"), !test.is("init", "none"));
  result(states, activation);
  if (test.has("last"))
    result(last, stored);
}

/// A moving average of one operation's results: its numbers are seen as they
/// are, and the operation is part of a recurrence's kernel.
void FunctionWriter::elementwise() {
  std::string_view op = test.get("op");
  std::string_view range;
  if (size_t colon = op.find(':'); colon != std::string_view::npos) {
    range = op.substr(colon + 1);
    op = op.substr(0, colon);
  }
  std::string body = "    %half = arith.constant 0.5 : f32\n"
                     "    %small = arith.constant 0.01 : f32\n"
                     "    %large = arith.constant 40.0 : f32\n"
                     "    %one = arith.constant 1.0 : f32\n"
                     "    %square = arith.mulf %x0, %x0 : f32\n"
                     "    %positive = arith.addf %square, %small : f32\n"
                     "    %above1 = arith.addf %positive, %one : f32\n"
                     "    %wide = arith.mulf %x0, %large : f32\n"
                     "    %inner = arith.mulf %x0, %half : f32\n";
  std::string operand = range.empty() ? "%x0" : fmt::format("%{}", range);
  bool isBinary = op.starts_with("arith.") || op == "math.powf" ||
                  op == "math.atan2" || op == "math.copysign";
  body += fmt::format("    %r = {} {}{} : f32\n", op, operand,
                      isBinary ? ", %x1" : "");
  Value u = argument("u", "bld", activation);
  std::vector<Value> inputs = {u};
  if (isBinary)
    inputs.push_back(argument("w", "bld", activation));
  std::vector<Value> ab = map(inputs, body, {"%half", "%r"});
  result(scan(ab[0], ab[1], test.has("reverse"), false).first, activation);
}

/// "[b, l, d]".
static std::string accessOf(std::string_view axes) {
  std::string text;
  for (char axis : axes)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", axis);
  return "[" + text + "]";
}

/// One fused op with a random body.
void FunctionWriter::fused() {
  FusedText text = randomBody(test);
  std::string inputs, outputs, names;
  for (const FusedText::Tensor &tensor : text.inputs) {
    std::string ofTensor = type(tensor.axes, tensor.element);
    arguments += fmt::format("{}%{}: {}", arguments.empty() ? "" : ",\n    ",
                             tensor.name, ofTensor);
    inputs += fmt::format(
        "{}%e{} = %{}{} : {}", inputs.empty() ? "" : ",\n      ",
        tensor.name.substr(1), tensor.name, accessOf(tensor.axes), ofTensor);
  }
  for (size_t i = 0; i < text.results.size(); ++i) {
    const FusedText::Tensor &tensor = text.results[i];
    std::string ofTensor = type(tensor.axes, tensor.element);
    outputs += fmt::format("{}{} : {}", i ? ", " : "", accessOf(tensor.axes),
                           ofTensor);
    names += fmt::format("{}%r{}", i ? ", " : "", i);
    resultTypes += (i ? ", " : "") + ofTensor;
  }
  results = names;
  operations = fmt::format("  {} = ssm.fused (\n      {})\n      -> ({}) {{\n{}"
                           "  }}\n",
                           names, inputs, outputs, text.body);
}

std::string FunctionWriter::write() {
  if (test.is("body", "mingru"))
    gatedRnn();
  else if (test.is("body", "rglru"))
    linearRecurrentUnit();
  else if (test.is("body", "math"))
    elementwise();
  else if (test.is("body", "random"))
    fused();
  else
    selective();
  return fmt::format("// {}\n"
                     "#bld = affine_map<(b, l, d) -> (b, l, d)>\n"
                     "#d = affine_map<(b, l, d) -> (d)>\n"
                     "func.func @layer(\n    {})\n    -> ({}) {{\n{}"
                     "  return {} : {}\n}}\n",
                     test.text(), arguments, resultTypes, operations, results,
                     resultTypes);
}

std::string numerics::moduleText(const Case &test) {
  return FunctionWriter(test).write();
}
