//===- Problem.h - Extents and memory of a function's tensors ---*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function leaves extents and strides open; the command line closes them.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_PROBLEM_H
#define MAMBA_TOOLS_PROBLEM_PROBLEM_H

#include "runtime/jit/Jit.h"
#include "tools/problem/CommandLine.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mamba {

/// "(b, l, d)".
std::string axesOf(const TensorSpec &spec);

/// Extents by axis letter. An axis has one extent in all tensors.
class Extents {
public:
  /// Fails where `axis` is known to have another extent; `source` says who
  /// gives this one.
  Status set(Axis axis, int64_t extent, const std::string &source);
  std::optional<int64_t> find(Axis axis) const;
  /// The known ones, in the order b, l, d, n, g.
  std::vector<std::pair<char, int64_t>> list() const;

private:
  struct Entry {
    int64_t extent;
    std::string source;
  };
  std::map<Axis, Entry> entries_;
};

/// Strides of one tensor, and elements before its first one.
struct Placement {
  std::vector<int64_t> strides;
  int64_t offset = 0;
};

/// What the flags --extents, --layout, --pad, --offset and --broadcast say.
struct ProblemOptions {
  Extents extents;
  /// Extents, all of them known, that memory has room for: tensors are views of
  /// those of a larger problem. None: `extents`.
  std::optional<Extents> room;
  /// Memory orders, outermost first, for all tensors with these axes.
  std::vector<std::string> orders;
  /// By tensor name.
  std::map<std::string, std::string> ordersByName;
  std::map<std::string, std::string> pads;
  std::map<std::string, std::string> offsets;
  std::map<std::string, std::string> broadcasts;

  /// The flags, for CommandLine::flags; they refer to this object.
  std::vector<Flag> flags();

  /// What the flags say of the tensors of `info`: a gradient dNAME lies as
  /// NAME does, unless --layout names it too. Fails where a flag names a tensor
  /// or an axis that `info` has not. What names one of `partner`, the function
  /// of these gradients or the gradients of this function, is no error.
  Result<ProblemOptions>
  forFunction(const FunctionInfo &info,
              const FunctionInfo *partner = nullptr) const;

  /// True if a flag says something of this tensor's memory.
  bool mentions(const TensorSpec &spec) const;
  /// True if the tensor is stored once along `axis`.
  bool isBroadcast(const TensorSpec &spec, Axis axis) const;
  /// Where the elements of a tensor of `shape` lie, which is one of the
  /// function that these options are for.
  Result<Placement> place(const TensorSpec &spec,
                          std::span<const int64_t> shape) const;

private:
  Status check(const FunctionInfo &info, const FunctionInfo *partner) const;
  std::string orderOf(const TensorSpec &spec) const;
};

/// Takes over "B=8,L=2048"; `source` says who gives them.
Status parseExtents(std::string_view text, Extents &extents,
                    const std::string &source);

/// Takes over the static extents of a function's tensors.
Status addStaticExtents(const FunctionInfo &info, Extents &extents);

/// Fails where an extent of a function's tensors is not among those.
Status checkAllKnown(const FunctionInfo &info, Extents extents);

/// The shape of a tensor; fails where an extent is not known.
Result<std::vector<int64_t>> shapeOf(const TensorSpec &spec,
                                     const Extents &extents);

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_PROBLEM_H
