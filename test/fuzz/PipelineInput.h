//===- PipelineInput.h - A pipeline and its module, mutated -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An input is one file that a person can read and mamba-opt can run: a comment
// with the passes, then the module. Bytes changed at random hardly ever give
// another pipeline or another layer, so these are drawn as wholes; what is
// drawn are cases of test/e2e/numerics.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_FUZZ_PIPELINEINPUT_H
#define MAMBA_TEST_FUZZ_PIPELINEINPUT_H

#include "test/e2e/numerics/Factors.h"
#include "test/e2e/numerics/ModuleText.h"
#include "test/e2e/numerics/Mutate.h"
#include "test/e2e/numerics/Random.h"

#include <fmt/format.h>
#include <initializer_list>
#include <string>
#include <string_view>

namespace mamba::test {

struct PipelineInput {
  /// What --pass-pipeline takes within builtin.module(...).
  std::string pipeline;
  std::string module;

  /// The input "// <pipeline>\n<module>".
  static PipelineInput parse(std::string_view text) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line.remove_prefix(line.starts_with("// ") ? 3 : line.size());
    return {std::string(line), std::string(text)};
  }
  std::string text() const {
    return fmt::format("// {}\n{}", pipeline, module);
  }
};

inline std::string drawn(std::initializer_list<const char *> values,
                         numerics::Random &random) {
  return *(values.begin() + random.below(values.size()));
}

/// One case of one of the suite's designs, with extents as small as they get.
inline numerics::Case drawCase(numerics::Random &random) {
  using namespace numerics;
  Design design;
  design.base =
      *Case::parse(drawn({"body=random", "body=random", "body=s6", "body=lti",
                          "body=mingru", "body=rglru", "body=two",
                          "body=chained", "body=stacked", "body=bidirectional"},
                         random));
  design.base.set("bodyseed", std::to_string(random.below(100000)));
  design.factors = kMemory + kGradient + kCudaKnobs;
  design.isValid = [](const Case &) { return true; };
  Case test = sample(design, random.below(1u << 31), 1).front();
  test.set("B", "2");
  test.set("L", "7");
  // A multiple of every number of groups.
  test.set("D", "6");
  return test;
}

/// Numbers that extents, schedules and segments don't expect, among usual ones.
inline std::string drawNumber(numerics::Random &random) {
  return drawn({"-1", "0", "1", "2", "3", "7", "16", "64", "1000", "65537",
                "4294967296", "9223372036854775807"},
               random);
}

/// Options of the passes and pipelines that choose a schedule.
inline std::string drawOptions(numerics::Random &random, const char *target) {
  std::string text;
  for (const char *key : {"batch", "length", "channels"})
    if (random.below(3) == 0)
      text += fmt::format("{}={} ", key, drawNumber(random));
  if (*target && random.below(2) == 0)
    text += fmt::format(
        "{}={} ", target,
        drawn({"sm_80", "sm_90", "sm_90a", "sm_100", "sm_12"}, random));
  if (random.below(2) == 0)
    text += fmt::format("schedule={{{}}}", drawCase(random).schedule());
  return text;
}

inline std::string drawPass(numerics::Random &random) {
  switch (random.below(12)) {
  case 0:
    return fmt::format("ssm-differentiate,ssm-recompute{{every={}}}",
                       drawNumber(random));
  case 1:
    return fmt::format("ssm-schedule{{{}}}", drawOptions(random, "target"));
  case 2:
    return fmt::format("ssm-schedule{{target=cpu threads={}}}",
                       drawNumber(random));
  case 3:
    return fmt::format("ssm-to-gpu{{{}}}", drawOptions(random, "chip"));
  case 4:
    return "ssm-to-cpu";
  default:
    return drawn({"func.func(ssm-fuse)", "ssm-simplify-body", "canonicalize",
                  "cse", "ssm-differentiate", "ssm-lower-to-cpu",
                  "ssm-lower-to-gpu", "gpu.module(ssm-approximate-math)",
                  "gpu.module(ssm-contract-products)"},
                 random);
  }
}

/// A pass more, before or behind the others, or a pipeline with one pass.
inline void changePipeline(std::string &pipeline, numerics::Random &random) {
  // Compilations take no more passes than this, and long lines only time.
  constexpr size_t kMaxLength = 400;
  std::string pass = drawPass(random);
  size_t kind = random.below(3);
  if (kind == 0 || pipeline.empty() || pipeline.size() > kMaxLength)
    pipeline = pass;
  else
    pipeline = kind == 1 ? pipeline + "," + pass : pass + "," + pipeline;
}

/// `input` with one change of its pipeline, its module or some token.
inline void change(PipelineInput &input, numerics::Random &random) {
  switch (random.below(8)) {
  case 0:
    input.module = numerics::moduleText(drawCase(random));
    break;
  case 1:
  case 2:
  case 3:
    changePipeline(input.pipeline, random);
    break;
  default:
    input = PipelineInput::parse(
        numerics::mutate(input.text(), random.below(1u << 31)));
  }
}

} // namespace mamba::test

#endif // MAMBA_TEST_FUZZ_PIPELINEINPUT_H
