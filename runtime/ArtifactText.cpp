//===- ArtifactText.cpp - Parts of an artifact as text --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parsers take what the printers write, and nothing else.
//
//===----------------------------------------------------------------------===//

#include "runtime/ArtifactText.h"

#include "runtime/Validate.h"

#include <charconv>
#include <fmt/format.h>

namespace mamba {

namespace {

/// Takes text apart from its front; every function is false, and takes nothing,
/// where something else is there.
class Scanner {
public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view word) {
    if (!rest_.starts_with(word))
      return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool take(Axis &axis) {
    size_t index = rest_.empty() ? std::string_view::npos
                                 : kAxisLetters.find(rest_.front());
    if (index >= static_cast<size_t>(Axis::Other))
      return false;
    axis = static_cast<Axis>(index);
    rest_.remove_prefix(1);
    return true;
  }

  bool take(int64_t &number) {
    const char *end = rest_.data() + rest_.size();
    auto [stop, error] = std::from_chars(rest_.data(), end, number);
    if (error != std::errc())
      return false;
    rest_ = std::string_view(stop, end);
    return true;
  }

  /// All up to `end`, which is taken too.
  bool takeUpTo(char end, std::string_view &text) {
    size_t at = rest_.find(end);
    if (at == std::string_view::npos)
      return false;
    text = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return true;
  }

  bool done() const { return rest_.empty(); }

private:
  std::string_view rest_;
};

/// "l" or "ceil(l / 512)".
std::string quotient(Axis axis, int64_t divisor) {
  if (divisor == 1)
    return std::string(1, letterOf(axis));
  return fmt::format("ceil({} / {})", letterOf(axis), divisor);
}

bool takeQuotient(Scanner &in, Axis &axis, int64_t &divisor) {
  divisor = 1;
  if (!in.take("ceil("))
    return in.take(axis);
  return in.take(axis) && in.take(" / ") && in.take(divisor) && in.take(")");
}

std::optional<uint16_t> indexOf(std::string_view name,
                                const Artifact &artifact) {
  for (size_t i = 0; i < artifact.tensors.size(); ++i)
    if (artifact.tensors[i].name == name)
      return static_cast<uint16_t>(i);
  return std::nullopt;
}

constexpr std::string_view kKindNames[] = {"ptx", "cubin", "object", "cuda"};

} // namespace

std::string textOf(const DimSpec &dim) {
  if (dim.axis == Axis::Other)
    return std::to_string(dim.extent);
  std::string text = quotient(dim.axis, dim.divisor);
  return dim.extent == kDynamic ? text
                                : fmt::format("{} = {}", text, dim.extent);
}

std::optional<DimSpec> parseDim(std::string_view text) {
  Scanner in(text);
  DimSpec dim;
  if (in.take(dim.extent))
    return in.done() ? std::optional(dim) : std::nullopt;
  dim.extent = kDynamic;
  if (!takeQuotient(in, dim.axis, dim.divisor))
    return std::nullopt;
  if (in.take(" = ") && !in.take(dim.extent))
    return std::nullopt;
  return in.done() ? std::optional(dim) : std::nullopt;
}

std::string textOf(const GridTerm &term) {
  std::string factor = term.axis == Axis::Other
                           ? std::to_string(term.divisor)
                           : quotient(term.axis, term.divisor);
  return term.isAdded ? "+ " + factor : factor;
}

std::optional<GridTerm> parseGridTerm(std::string_view text) {
  Scanner in(text);
  GridTerm term;
  term.isAdded = in.take("+ ");
  bool isTerm =
      in.take(term.divisor) || takeQuotient(in, term.axis, term.divisor);
  return isTerm && in.done() ? std::optional(term) : std::nullopt;
}

std::string textOf(const KernelArg &arg, const Artifact &artifact) {
  switch (arg.kind) {
  case KernelArg::Kind::Pointer:
    return fmt::format("pointer({})", artifact.tensors[arg.index].name);
  case KernelArg::Kind::Stride:
    return fmt::format("stride({}, {})", artifact.tensors[arg.index].name,
                       arg.dim);
  case KernelArg::Kind::Extent:
    return fmt::format("extent({})", kAxisLetters[arg.dim]);
  }
  return "unknown";
}

std::optional<KernelArg> parseArg(std::string_view text,
                                  const Artifact &artifact) {
  Scanner in(text);
  KernelArg arg;
  std::string_view name;
  int64_t dim = 0;
  Axis axis = Axis::Batch;
  if (in.take("extent(")) {
    arg.kind = KernelArg::Kind::Extent;
    bool isAxis = in.take(axis) && in.take(")") && in.done();
    arg.dim = static_cast<uint16_t>(axis);
    return isAxis ? std::optional(arg) : std::nullopt;
  }
  bool isPlace = false;
  if (in.take("pointer(")) {
    isPlace = in.takeUpTo(')', name);
  } else if (in.take("stride(")) {
    arg.kind = KernelArg::Kind::Stride;
    isPlace = in.takeUpTo(',', name) && in.take(" ") && in.take(dim) &&
              in.take(")") && dim >= 0 && dim <= UINT16_MAX;
  }
  std::optional<uint16_t> index = indexOf(name, artifact);
  if (!isPlace || !in.done() || !index)
    return std::nullopt;
  arg.index = *index;
  arg.dim = static_cast<uint16_t>(dim);
  return arg;
}

std::string_view toString(ImageKind kind) {
  auto index = static_cast<size_t>(kind);
  return index < std::size(kKindNames) ? kKindNames[index] : "unknown";
}

std::optional<ImageKind> parseImageKind(std::string_view name) {
  for (size_t i = 0; i < std::size(kKindNames); ++i)
    if (kKindNames[i] == name)
      return static_cast<ImageKind>(i);
  return std::nullopt;
}

} // namespace mamba
