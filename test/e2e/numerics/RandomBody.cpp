//===- RandomBody.cpp - Fused bodies that no one thought of ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The program is drawn first, as statements with numbers of operands, and
// written afterwards: what is dropped does not change what is drawn.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/RandomBody.h"

#include "test/e2e/numerics/Random.h"
#include "tools/problem/CommandLine.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

using namespace mamba;
using namespace mamba::numerics;

namespace {

/// What the dialect's rules (C4, C9, C10) need to know of a value, and how
/// large it gets.
struct Facts {
  std::string axes; ///< Of "bldn", in this order.
  int level = 0;
  bool isAfterLast = false;
  std::optional<int> statesLevel;
  double bound = 1;

  /// Computed from the first statement, the recurrence over x0.
  bool isMain = false;

  bool has(char axis) const { return axes.find(axis) != std::string::npos; }
};

/// Of a Started recurrence, {z} is the initial state.
enum class Kind { Scalar, Sum, Recurrence, Started, Last };

/// A form that statements take. Lines use {r} for the result, {x}, {y}, {z} for
/// operands, and end with a newline each.
struct Form {
  Kind kind;
  int operands;
  const char *lines;
  /// The bound of the result, given those of x and y.
  double (*bound)(double x, double y);
  /// The largest x that keeps its digits: beyond, its rounding would show.
  double mostX = 1e3;
};

struct Statement {
  const Form *form;
  int operands[3];
};

} // namespace

static double one(double, double) { return 1; }
static double ofX(double x, double) { return x; }
static double largest(double x, double y) { return std::max(x, y); }
static double product(double x, double y) { return x * y; }
static double total(double x, double y) { return x + y; }
/// |b| / (1 - |a|) with |a| up to 0.93.
static double ofState(double, double y) { return 15 * y; }

static constexpr Form kForms[] = {
    {Kind::Scalar, 2, "{r} = arith.mulf {x}, {y} : f32\n", product, 30},
    {Kind::Scalar, 2,
     "{r}s = arith.addf {x}, {y} : f32\n{r} = arith.mulf {r}s, %half : f32\n",
     largest},
    // A difference of unequal parts, which never cancel.
    {Kind::Scalar, 2,
     "{r}s = arith.mulf {y}, %tenth : f32\n{r} = arith.subf {x}, {r}s : f32\n",
     total},
    {Kind::Scalar, 2, "{r} = arith.maximumf {x}, {y} : f32\n", largest},
    {Kind::Scalar, 2, "{r} = arith.minimumf {x}, {y} : f32\n", largest},
    {Kind::Scalar, 1, "{r} = math.tanh {x} : f32\n", one},
    {Kind::Scalar, 1, "{r} = math.sin {x} : f32\n", one, 4},
    {Kind::Scalar, 1, "{r} = math.cos {x} : f32\n", one, 4},
    {Kind::Scalar, 1, "{r} = math.erf {x} : f32\n", one},
    {Kind::Scalar, 1,
     "{r}a = math.absf {x} : f32\n{r}m = arith.negf {r}a : f32\n"
     "{r} = math.exp {r}m : f32\n",
     one, 4},
    {Kind::Scalar, 1,
     "{r}q = arith.mulf {x}, {x} : f32\n{r}p = arith.addf {r}q, %one : f32\n"
     "{r} = arith.divf %one, {r}p : f32\n",
     one, 30},
    {Kind::Scalar, 1,
     "{r}q = arith.mulf {x}, {x} : f32\n{r}p = arith.addf {r}q, %one : f32\n"
     "{r} = math.sqrt {r}p : f32\n",
     total, 30},
    {Kind::Scalar, 1,
     "{r}a = math.absf {x} : f32\n{r} = math.log1p {r}a : f32\n", ofX},
    {Kind::Sum, 1, "{r} = ssm.sum {x} over n : f32\n", ofX, 10},
    // A decay that is an exponential of a product, as layers have it.
    {Kind::Recurrence, 3,
     "{r}a = math.absf {x} : f32\n{r}s = arith.addf {r}a, %tenth : f32\n"
     "{r}c = math.absf {z} : f32\n{r}k = arith.addf {r}c, %one : f32\n"
     "{r}m = arith.negf {r}k : f32\n{r}p = arith.mulf {r}s, {r}m : f32\n"
     "{r}d = math.exp {r}p : f32\n"
     "{r}, {r}l = ssm.recurrence{reverse} {r}d, {y} : f32\n",
     ofState, 4},
    {Kind::Recurrence, 2,
     "{r}t = math.tanh {x} : f32\n{r}d = arith.mulf {r}t, %most : f32\n"
     "{r}, {r}l = ssm.recurrence{reverse} {r}d, {y} : f32\n",
     ofState},
    {Kind::Started, 3,
     "{r}t = math.tanh {x} : f32\n{r}d = arith.mulf {r}t, %most : f32\n"
     "{r}, {r}l = ssm.recurrence{reverse} {r}d, {y} init({z}) : f32\n",
     ofState},
    // A complex decay within the circle of radius 0.85.
    {Kind::Recurrence, 3,
     "{r}t = math.tanh {x} : f32\n{r}u = arith.mulf {r}t, %point6 : f32\n"
     "{r}v = math.tanh {z} : f32\n{r}w = arith.mulf {r}v, %point6 : f32\n"
     "{r}d = complex.create {r}u, {r}w : complex<f32>\n"
     "{r}b = complex.create {y}, {r}u : complex<f32>\n"
     "{r}h, {r}g = ssm.recurrence{reverse} {r}d, {r}b : complex<f32>\n"
     "{r} = complex.re {r}h : complex<f32>\n"
     "{r}l = complex.im {r}g : complex<f32>\n",
     ofState},
    {Kind::Last, 1, "", ofX},
};

//===----------------------------------------------------------------------===//
// Facts of values
//===----------------------------------------------------------------------===//

static std::string joinAxes(const std::string &a, const std::string &b) {
  std::string joined;
  for (char axis : std::string("bldn"))
    if (a.find(axis) != std::string::npos || b.find(axis) != std::string::npos)
      joined += axis;
  return joined;
}

static void eraseAxis(Facts &facts, char axis) { std::erase(facts.axes, axis); }

static Facts join(const std::vector<Facts> &operands) {
  Facts facts;
  for (const Facts &operand : operands) {
    facts.axes = joinAxes(facts.axes, operand.axes);
    facts.level = std::max(facts.level, operand.level);
    facts.isAfterLast |= operand.isAfterLast;
    facts.isMain |= operand.isMain;
    if (operand.statesLevel)
      facts.statesLevel =
          std::min(facts.statesLevel.value_or(*operand.statesLevel),
                   *operand.statesLevel);
  }
  return facts;
}

static bool isRecurrence(const Form &form) {
  return form.kind == Kind::Recurrence || form.kind == Kind::Started;
}

/// The facts of the statement's value, or nothing where the dialect refuses it.
static std::optional<Facts> factsOf(const Form &form,
                                    const std::vector<Facts> &operands) {
  Facts facts = join(operands);
  bool isOrdered = facts.has('l') || isRecurrence(form);
  if (facts.isAfterLast && isOrdered)
    return std::nullopt;
  if (facts.statesLevel && *facts.statesLevel < facts.level)
    return std::nullopt;
  if (form.kind == Kind::Started && operands[2].has('l'))
    return std::nullopt;
  if (operands[0].bound > form.mostX)
    return std::nullopt;
  double y = operands.size() > 1 ? operands[1].bound : operands[0].bound;
  facts.bound = form.bound(operands[0].bound, y);
  if (form.kind == Kind::Sum) {
    facts.level += facts.has('n') && facts.has('l');
    eraseAxis(facts, 'n');
    facts.statesLevel.reset();
    facts.bound *= 16;
  }
  if (isRecurrence(form)) {
    facts.axes = joinAxes(facts.axes, "l");
    if (facts.has('n'))
      facts.statesLevel = facts.statesLevel.value_or(facts.level);
  }
  if (form.kind == Kind::Last) {
    eraseAxis(facts, 'l');
    facts.isAfterLast = true;
    facts.statesLevel.reset();
  }
  return facts;
}

//===----------------------------------------------------------------------===//
// Drawing
//===----------------------------------------------------------------------===//

namespace {

/// Draws a program and writes it.
class Program {
public:
  explicit Program(const Case &test);

  FusedText write();

private:
  void drawInputs();
  void drawStatement();
  bool tryStatement(bool isFirst);
  void drawResults();
  bool isRecurrence(int value) const;
  int drawOperand();
  void dropStatements();
  std::string nameOf(int value) const;
  std::string linesOf(int number) const;
  std::vector<bool> neededValues() const;

  const Case &test;
  Random random;
  std::vector<FusedText::Tensor> inputs;
  std::vector<Statement> statements;
  std::vector<Facts> facts; ///< Of inputs, then of statements.
  std::vector<bool> isDropped;
  /// Values that are results, with what their tensors have.
  std::vector<std::pair<int, FusedText::Tensor>> results;
};

} // namespace

Program::Program(const Case &test)
    : test(test),
      random(static_cast<uint64_t>(test.number("bodyseed")) * 0x9e3779b9 + 7) {
  drawInputs();
  while (!tryStatement(/*isFirst=*/true))
    continue;
  facts.back().isMain = true;
  size_t count = 3 + random.below(10);
  for (size_t i = 0; i < count; ++i)
    drawStatement();
  drawResults();
  dropStatements();
}

void Program::drawInputs() {
  static constexpr const char *kAxes[] = {
      "bld", "bld", "bld", "d",  "d", "dn", "dn", "bdn", "blgn", "blgn",
      "bln", "bl",  "l",   "ln", "n", "bd", "b",  "ld",  "bldn", "gn"};
  size_t count = 2 + random.below(5);
  for (size_t i = 0; i < count; ++i) {
    std::string axes = i == 0 ? "bld" : kAxes[random.below(std::size(kAxes))];
    bool isActivation = axes.find('l') != std::string::npos;
    bool isNarrow = isActivation && random.below(4) != 0;
    inputs.push_back({fmt::format("x{}", i), axes,
                      isNarrow ? std::string(test.get("type")) : "f32"});
    Facts input;
    std::string plain = axes;
    // A group is a part of the channels: what reads it depends on both.
    std::replace(plain.begin(), plain.end(), 'g', 'd');
    input.axes = joinAxes(plain, "");
    facts.push_back(input);
  }
}

bool Program::isRecurrence(int value) const {
  int number = value - static_cast<int>(inputs.size());
  return number >= 0 && ::isRecurrence(*statements[number].form);
}

/// Later values more often: chains, not bushes.
int Program::drawOperand() {
  size_t count = facts.size();
  size_t first = random.below(3) == 0 ? 0 : count / 2;
  return static_cast<int>(first + random.below(count - first));
}

/// The first statement is a recurrence that reads x0: every body has one.
bool Program::tryStatement(bool isFirst) {
  Statement statement{&kForms[random.below(std::size(kForms))], {}};
  const Form &form = *statement.form;
  std::vector<Facts> operands;
  for (int i = 0; i < form.operands; ++i) {
    statement.operands[i] = isFirst && i == 1 ? 0 : drawOperand();
    operands.push_back(facts[statement.operands[i]]);
  }
  if (isFirst && !::isRecurrence(form))
    return false;
  if (form.kind == Kind::Last && !isRecurrence(statement.operands[0]))
    return false;
  std::optional<Facts> value = factsOf(form, operands);
  if (!value || value->bound > 1e4)
    return false;
  statements.push_back(statement);
  facts.push_back(*value);
  return true;
}

void Program::drawStatement() {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries && !tryStatement(/*isFirst=*/false); ++i)
    continue;
}

/// The last value that x0 has a part in, and some others, with at least their
/// axes.
void Program::drawResults() {
  auto main = std::find_if(facts.rbegin(), facts.rend(),
                           [](const Facts &value) { return value.isMain; });
  size_t count = 1 + random.below(3);
  for (size_t i = 0; i < count; ++i) {
    auto value = static_cast<int>(facts.rend() - main) - 1;
    if (i > 0)
      value = static_cast<int>(inputs.size() + random.below(statements.size()));
    std::string axes = facts[value].axes;
    bool isWider = random.below(4) == 0 && !facts[value].isAfterLast;
    if (isWider)
      axes = joinAxes(axes, "bld");
    if (axes.empty())
      axes = "d";
    if (axes == "bd" && random.below(2) == 0)
      axes = "db";
    bool isNarrow = axes == "bld" && random.below(2) == 0;
    results.push_back({value,
                       {fmt::format("result{}", i), axes,
                        isNarrow ? std::string(test.get("type")) : "f32"}});
  }
}

//===----------------------------------------------------------------------===//
// Dropping and writing
//===----------------------------------------------------------------------===//

std::vector<int64_t> numerics::droppedStatements(const Case &test) {
  std::vector<int64_t> numbers;
  std::string_view list = test.get("drop");
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find('.'));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    if (Result<int64_t> number = parseNumber(item); number.ok())
      numbers.push_back(*number);
  }
  return numbers;
}

void Program::dropStatements() {
  isDropped.resize(statements.size());
  for (int64_t number : droppedStatements(test))
    if (number < std::ssize(isDropped))
      isDropped[number] = true;
}

std::string Program::nameOf(int value) const {
  int number = value - static_cast<int>(inputs.size());
  if (number < 0)
    return inputs[value].element == "f32" ? fmt::format("%e{}", value)
                                          : fmt::format("%w{}", value);
  if (isDropped[number])
    return "%half";
  const Statement &statement = statements[number];
  if (statement.form->kind != Kind::Last)
    return fmt::format("%v{}", number);
  int source = statement.operands[0] - static_cast<int>(inputs.size());
  return isDropped[source] ? "%half" : fmt::format("%v{}l", source);
}

static void replaceAll(std::string &text, std::string_view what,
                       std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

std::string Program::linesOf(int number) const {
  const Statement &statement = statements[number];
  std::string lines;
  std::string_view rest = statement.form->lines;
  while (!rest.empty()) {
    size_t end = rest.find('\n') + 1;
    lines += "    " + std::string(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  static constexpr const char *kOperands[] = {"{x}", "{y}", "{z}"};
  for (int i = 0; i < statement.form->operands; ++i)
    replaceAll(lines, kOperands[i], nameOf(statement.operands[i]));
  replaceAll(lines, "{r}", fmt::format("%v{}", number));
  // Every third recurrence gives what its steps start from.
  bool isExclusive = (number + test.number("bodyseed")) % 3 == 0;
  replaceAll(lines, "{reverse}",
             std::string(test.has("reverse") ? " reverse" : "") +
                 (isExclusive ? " exclusive" : ""));
  return lines;
}

/// Values that some result is computed from.
std::vector<bool> Program::neededValues() const {
  std::vector<bool> isNeeded(facts.size());
  for (const auto &[value, tensor] : results)
    isNeeded[value] = true;
  for (int i = static_cast<int>(statements.size()) - 1; i >= 0; --i) {
    int value = i + static_cast<int>(inputs.size());
    if (!isNeeded[value] || isDropped[i])
      continue;
    for (int k = 0; k < statements[i].form->operands; ++k)
      isNeeded[statements[i].operands[k]] = true;
  }
  // Its extents are those of the problem.
  isNeeded[0] = true;
  return isNeeded;
}

FusedText Program::write() {
  FusedText text;
  text.statements = std::ssize(statements);
  std::vector<bool> isNeeded = neededValues();
  text.body = "    %half = arith.constant 0.5 : f32\n"
              "    %tenth = arith.constant 0.1 : f32\n"
              "    %one = arith.constant 1.0 : f32\n"
              "    %most = arith.constant 0.93 : f32\n"
              "    %point6 = arith.constant 0.6 : f32\n";
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!isNeeded[i])
      continue;
    text.inputs.push_back(inputs[i]);
    if (inputs[i].element != "f32")
      text.body += fmt::format("    %w{0} = arith.extf %e{0} : {1} to f32\n", i,
                               inputs[i].element);
  }
  for (size_t i = 0; i < statements.size(); ++i)
    if (isNeeded[i + inputs.size()] && !isDropped[i])
      text.body += linesOf(static_cast<int>(i));
  std::string yielded, types;
  for (size_t i = 0; i < results.size(); ++i) {
    const auto &[value, tensor] = results[i];
    std::string name = nameOf(value);
    if (tensor.element != "f32") {
      text.body += fmt::format("    %y{} = arith.truncf {} : f32 to {}\n", i,
                               name, tensor.element);
      name = fmt::format("%y{}", i);
    }
    yielded += (i ? ", " : "") + name;
    types += (i ? ", " : "") + tensor.element;
    text.results.push_back(tensor);
  }
  text.body += fmt::format("    ssm.yield {} : {}\n", yielded, types);
  return text;
}

FusedText numerics::randomBody(const Case &test) {
  return Program(test).write();
}
