//===- Mutate.cpp - Modules with mistakes ---------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A text is a list of words (letters, digits, and what MLIR's names have) and
// of single other characters.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Mutate.h"

#include "test/e2e/numerics/Random.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <vector>

using namespace mamba;
using namespace mamba::numerics;

using Tokens = std::vector<std::string>;

static bool isWordLetter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '%' ||
         c == '.' || c == '#' || c == '@';
}

static Tokens split(const std::string &text) {
  Tokens tokens;
  for (char c : text) {
    bool continues = !tokens.empty() && isWordLetter(c) &&
                     isWordLetter(tokens.back().back());
    if (continues)
      tokens.back() += c;
    else
      tokens.emplace_back(1, c);
  }
  return tokens;
}

/// What a word may become that is wrong in an interesting way.
static constexpr const char *kWords[] = {"0",
                                         "-1",
                                         "1",
                                         "2",
                                         "3",
                                         "257",
                                         "?",
                                         "99999",
                                         "2147483648",
                                         "9223372036854775807",
                                         "1e-45",
                                         "nan",
                                         "f16",
                                         "f32",
                                         "f64",
                                         "bf16",
                                         "i32",
                                         "index",
                                         "reverse",
                                         "complex",
                                         "%u",
                                         "%A",
                                         "%v0",
                                         "%v1",
                                         "%x0",
                                         "#bld",
                                         "#d",
                                         "zoh",
                                         "mamba",
                                         "silu",
                                         "dense",
                                         "tensor",
                                         "ssm.scan",
                                         "ssm.gate",
                                         "ssm.readout",
                                         "return",
                                         "init",
                                         "linalg.yield",
                                         "arith.addf",
                                         "math.exp",
                                         "arith.subf",
                                         "math.sqrt",
                                         "math.tanh",
                                         "math.sin",
                                         "arith.maximumf"};

/// A number within a word such as 16xf32 becomes another one.
static void changeNumber(std::string &word, Random &random) {
  auto begin = std::find_if(word.begin(), word.end(),
                            [](unsigned char c) { return std::isdigit(c); });
  auto end = std::find_if(begin, word.end(),
                          [](unsigned char c) { return !std::isdigit(c); });
  constexpr const char *kNumbers[] = {"0",  "1",    "2",          "3", "7",
                                      "64", "1000", "4294967296", "?"};
  word.replace(begin, end, kNumbers[random.below(std::size(kNumbers))]);
}

static void changeToken(Tokens &tokens, Random &random) {
  size_t at = random.below(tokens.size());
  // Words say more than the blanks between them.
  while (tokens[at] == " ")
    at = random.below(tokens.size());
  switch (random.below(6)) {
  case 0:
    tokens.erase(tokens.begin() + static_cast<ptrdiff_t>(at));
    break;
  case 1:
    tokens[at] += " " + tokens[at];
    break;
  case 2:
    tokens[at] = kWords[random.below(std::size(kWords))];
    break;
  case 3:
    changeNumber(tokens[at], random);
    break;
  case 4:
    tokens[at] = tokens[random.below(tokens.size())];
    break;
  default:
    std::swap(tokens[at], tokens[random.below(tokens.size())]);
  }
}

static void changeLine(std::string &text, Random &random) {
  std::vector<std::string> lines(1);
  for (char c : text) {
    lines.back() += c;
    if (c == '\n')
      lines.emplace_back();
  }
  size_t at = random.below(lines.size());
  switch (random.below(4)) {
  case 0:
    lines[at].clear();
    break;
  case 1:
    lines[at] += lines[at];
    break;
  case 2:
    std::swap(lines[at], lines[random.below(lines.size())]);
    break;
  default:
    lines.resize(at + 1); // A file cut off.
  }
  text.clear();
  for (const std::string &line : lines)
    text += line;
}

std::string numerics::mutate(const std::string &text, uint64_t seed) {
  Random random(seed);
  std::string result = text;
  for (size_t changes = 1 + random.below(3); changes > 0; --changes) {
    if (random.below(6) == 0) {
      changeLine(result, random);
      continue;
    }
    Tokens tokens = split(result);
    if (tokens.size() < 2)
      break;
    changeToken(tokens, random);
    result.clear();
    for (const std::string &token : tokens)
      result += token;
  }
  return result;
}
