//===- FileHead.cpp - What a translated file says of itself ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/FileHead.h"

#include "codegen/cuda/Names.h"
#include "runtime/DType.h"
#include "runtime/Validate.h"
#include "llvm/ADT/StringExtras.h"

#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm::cuda;

using mamba::letterOf;

/// "(b, l/64, d, 16)".
static std::string shapeOf(const mamba::TensorSpec &tensor) {
  SmallVector<std::string> dims;
  for (const mamba::DimSpec &dim : tensor.dims)
    if (dim.extent != mamba::kDynamic)
      dims.push_back(std::to_string(dim.extent));
    else if (dim.divisor != 1)
      dims.push_back(fmt::format("{}/{}", letterOf(dim.axis), dim.divisor));
    else
      dims.push_back(std::string(1, letterOf(dim.axis)));
  return "(" + llvm::join(dims, ", ") + ")";
}

static std::string gridOf(const mamba::LaunchSpec &launch) {
  SmallVector<std::string> terms;
  for (const mamba::GridTerm &term : launch.grid)
    if (term.axis == mamba::Axis::Other)
      terms.push_back(std::to_string(term.divisor));
    else if (term.divisor == 1)
      terms.push_back(std::string(1, letterOf(term.axis)));
    else
      terms.push_back(
          fmt::format("ceil({} / {})", letterOf(term.axis), term.divisor));
  return terms.empty() ? "1" : llvm::join(terms, " * ");
}

/// "u: bf16 (b, l, d), input, unit stride along dimension 2, ...".
static std::string describe(const mamba::Artifact &artifact, size_t i) {
  const mamba::TensorSpec &tensor = artifact.tensors[i];
  size_t outputs = artifact.numInputs + artifact.numResults;
  std::string text = fmt::format("{}: {} {}, {}", tensor.name,
                                 mamba::toString(tensor.dtype), shapeOf(tensor),
                                 i < artifact.numInputs ? "input"
                                 : i < outputs          ? "output"
                                                        : "temporary");
  if (i >= outputs)
    return text + (tensor.isZeroed ? ", row-major, zero before the first launch"
                                   : ", row-major");
  const mamba::LayoutSpec &layout = artifact.layouts[i];
  if (layout.unitDim >= 0)
    text += fmt::format(", stride 1 in dimension {}", layout.unitDim);
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
  say("Tensors; strides are arguments, in elements:");
  for (size_t i = 0; i < artifact.tensors.size(); ++i)
    say("  " + describe(artifact, i));
  say("");
  say("Launches, in this order, on one stream:");
  for (const mamba::LaunchSpec &launch : artifact.launches)
    say(fmt::format("  {}<<<{}, {}, {}>>>", launch.entry, gridOf(launch),
                    launch.blockSize, launch.sharedBytes));
  return head;
}
