//===- FileHead.cpp - What a translated file says of itself ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/FileHead.h"

#include "codegen/cuda/Names.h"
#include "runtime/ArtifactText.h"
#include "runtime/DType.h"
#include "llvm/ADT/StringExtras.h"

#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm::cuda;

/// Expressions with something between them.
template <typename Terms>
static std::string joined(const Terms &terms, StringRef between) {
  SmallVector<std::string> texts;
  for (const auto &term : terms)
    texts.push_back(mamba::textOf(term));
  return llvm::join(texts, between);
}

/// Products, of which those after the first begin with a plus.
static std::string gridOf(const mamba::LaunchSpec &launch) {
  std::string blocks;
  for (const mamba::GridTerm &term : launch.grid) {
    if (!blocks.empty())
      blocks += term.isAdded ? " " : " * ";
    blocks += mamba::textOf(term);
  }
  return blocks.empty() ? "1" : blocks;
}

/// "u: bf16 (b, l, d), input, unit stride along dimension 2, ...".
static std::string describe(const mamba::Artifact &artifact, size_t i) {
  const mamba::TensorSpec &tensor = artifact.tensors[i];
  size_t outputs = artifact.numInputs + artifact.numResults;
  std::string text =
      fmt::format("{}: {} ({}), {}", tensor.name, mamba::toString(tensor.dtype),
                  joined(tensor.dims, ", "),
                  i < artifact.numInputs ? "input"
                  : i < outputs          ? "output"
                                         : "temporary");
  if (i >= outputs)
    return text + (tensor.isZeroed ? ", row-major, zeros before every call"
                                   : ", row-major");
  const mamba::LayoutSpec &layout = artifact.layouts[i];
  if (layout.unitDim >= 0)
    text += fmt::format(", stride 1 in dimension {}", layout.unitDim);
  if (layout.fixedDim >= 0)
    text += fmt::format(", stride {} in dimension {}", layout.fixedStride,
                        layout.fixedDim);
  return text + fmt::format(", aligned to {} bytes", layout.alignment);
}

std::string mlir::ssm::cuda::fileHead(const mamba::Artifact &artifact,
                                      StringRef formula) {
  std::string head;
  auto say = [&](StringRef text) {
    std::string line = commentText(text);
    StringRef words = StringRef(line).ltrim();
    std::string margin = "// " + std::string(line.size() - words.size(), ' ');
    head += words.empty() ? "//\n" : wrapLine(words, margin);
  };
  say(fmt::format("{}: CUDA C++ for {}, written by mamba-mlir", artifact.name,
                  artifact.target));
  say("");
  say(fmt::format("    nvcc -arch={} -fmad=false -cubin FILE.cu",
                  artifact.target));
  say("");
  say("Products and sums that are to be fused are written as fmaf. Without");
  say("-fmad=false nvcc fuses more of them, and the last bits differ.");
  say("");
  say("Computes, for b sequences of l steps, d channels, n states:");
  say("");
  SmallVector<StringRef> lines;
  formula.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines)
    say("  " + line.str());
  say("");
  say("Schedule: " + artifact.schedule);
  if (artifact.channelMultiple != 1 || artifact.lengthMultiple != 1)
    say(fmt::format("d is a multiple of {}, l of {}.", artifact.channelMultiple,
                    artifact.lengthMultiple));
  say("");
  say("Tensors; other strides than these are arguments, in elements:");
  for (size_t i = 0; i < artifact.tensors.size(); ++i)
    say("  " + describe(artifact, i));
  say("");
  say("Launches, in this order, on one stream:");
  for (const mamba::LaunchSpec &launch : artifact.launches)
    say(fmt::format("  {}<<<{}, {}, {}>>>", launch.entry, gridOf(launch),
                    launch.blockSize, launch.sharedBytes));
  return head;
}
