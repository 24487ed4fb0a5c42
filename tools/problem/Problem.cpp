//===- Problem.cpp - Extents and memory of a function's tensors -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory orders are written as axis letters, outermost first: bdl is (b, l, d)
// data in (B, D, L) memory.
//
//===----------------------------------------------------------------------===//

#include "tools/problem/Problem.h"

#include "runtime/Validate.h"

#include <algorithm>
#include <fmt/format.h>

using namespace mamba;

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

static std::string lettersOf(const TensorSpec &spec) {
  std::string letters;
  for (const DimSpec &dim : spec.dims)
    letters += letterOf(dim.axis);
  return letters;
}

std::string mamba::axesOf(const TensorSpec &spec) {
  std::vector<std::string> axes;
  for (const DimSpec &dim : spec.dims)
    axes.push_back(dim.divisor == 1
                       ? std::string(1, letterOf(dim.axis))
                       : fmt::format("{}/{}", letterOf(dim.axis), dim.divisor));
  return fmt::format("({})", fmt::join(axes, ", "));
}

/// The axis that `letter` (also a capital) stands for.
static Result<Axis> parseAxis(char letter) {
  size_t index = kAxisLetters.find(static_cast<char>(letter | 0x20));
  if (index == std::string_view::npos || kAxisLetters[index] == '.')
    return invalid(
        fmt::format("found axis '{}', required b, l, d, n or g", letter));
  return static_cast<Axis>(index);
}

//===----------------------------------------------------------------------===//
// Extents
//===----------------------------------------------------------------------===//

Status Extents::set(Axis axis, int64_t extent, const std::string &source) {
  if (axis == Axis::Other)
    return Status();
  auto [entry, isNew] = entries_.try_emplace(axis, Entry{extent, source});
  if (isNew || entry->second.extent == extent)
    return Status();
  return invalid(fmt::format("extent of {} ({}) is {} from {}, but {} from {}",
                             letterOf(axis), toString(axis),
                             entry->second.extent, entry->second.source, extent,
                             source));
}

std::optional<int64_t> Extents::find(Axis axis) const {
  auto entry = entries_.find(axis);
  if (entry == entries_.end())
    return std::nullopt;
  return entry->second.extent;
}

std::vector<std::pair<char, int64_t>> Extents::list() const {
  std::vector<std::pair<char, int64_t>> list;
  for (const auto &[axis, entry] : entries_)
    list.emplace_back(letterOf(axis), entry.extent);
  return list;
}

Status mamba::addStaticExtents(const FunctionInfo &info, Extents &extents) {
  for (const TensorSpec &spec : info.tensors)
    for (const DimSpec &dim : spec.dims)
      if (dim.extent != kDynamic && dim.tellsAxis())
        MAMBA_RETURN_IF_ERROR(extents.set(
            dim.axis, dim.extent,
            fmt::format("the type of '{}' in @{}", spec.name, info.name)));
  return Status();
}

/// How flags call an axis.
static char flagLetter(Axis axis) {
  return static_cast<char>(letterOf(axis) & ~0x20);
}

static std::string notKnown(Axis axis, const TensorSpec &spec) {
  return fmt::format("the extent of {} ({}), which '{}' has, is not known",
                     letterOf(axis), toString(axis), spec.name);
}

Status mamba::checkAllKnown(const FunctionInfo &info, Extents extents) {
  MAMBA_RETURN_IF_ERROR(addStaticExtents(info, extents));
  for (const TensorSpec &spec : info.tensors)
    for (const DimSpec &dim : spec.dims)
      if (dim.extent == kDynamic && !extents.find(dim.axis))
        return invalid(fmt::format("{}: give {}=... too",
                                   notKnown(dim.axis, spec),
                                   flagLetter(dim.axis)));
  return Status();
}

Result<std::vector<int64_t>> mamba::shapeOf(const TensorSpec &spec,
                                            const Extents &extents) {
  std::vector<int64_t> shape;
  for (const DimSpec &dim : spec.dims) {
    std::optional<int64_t> extent = extents.find(dim.axis);
    if (!extent && dim.extent == kDynamic)
      return invalid(fmt::format("{}: give --extents={}=..., or an input that "
                                 "has it",
                                 notKnown(dim.axis, spec),
                                 flagLetter(dim.axis)));
    shape.push_back(dim.extentAt(extent.value_or(0)));
  }
  return shape;
}

//===----------------------------------------------------------------------===//
// Flags
//===----------------------------------------------------------------------===//

Status mamba::parseExtents(std::string_view text, Extents &extents,
                           const std::string &source) {
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    if (item.size() < 3 || item[1] != '=')
      return invalid(
          fmt::format("found '{}', required such as B=8,L=2048,D=1536", item));
    MAMBA_ASSIGN_OR_RETURN(Axis axis, parseAxis(item[0]));
    MAMBA_ASSIGN_OR_RETURN(int64_t extent, parseNumber(item.substr(2)));
    if (extent < 0)
      return invalid(fmt::format("extent {} is negative", extent));
    MAMBA_RETURN_IF_ERROR(extents.set(axis, extent, source));
  }
  return Status();
}

/// ORDER, or NAME=ORDER.
static Status parseLayout(std::string_view text, ProblemOptions &options) {
  size_t equals = text.find('=');
  std::string order(
      text.substr(equals == std::string_view::npos ? 0 : equals + 1));
  for (char &letter : order) {
    MAMBA_ASSIGN_OR_RETURN(Axis axis, parseAxis(letter));
    letter = letterOf(axis);
  }
  if (equals == std::string_view::npos)
    options.orders.emplace_back(order);
  else
    options.ordersByName[std::string(text.substr(0, equals))] = order;
  return Status();
}

std::vector<Flag> ProblemOptions::flags() {
  return {
      {"extents", "B=8,L=2048,...",
       "extents of dynamic dimensions, by axis: b, l, d",
       [this](std::string_view v) {
         return parseExtents(v, extents, "--extents");
       }},
      {"layout", "[NAME=]ORDER",
       "memory order, outermost axis first: bdl for all (b, l, d) tensors; "
       "that of NAME is also its gradient's, unless dNAME is named",
       [this](std::string_view v) { return parseLayout(v, *this); }},
      {"pad", "NAME=K",
       "the tensor is a view of one K elements wider in its last memory axis",
       takePair(pads)},
      {"offset", "NAME=K", "K elements lie before the tensor's first one",
       takePair(offsets)},
      {"broadcast", "NAME=AXES",
       "the input is stored once along these axes (stride 0)",
       takePair(broadcasts)}};
}

static const TensorSpec *findTensor(std::span<const TensorSpec> tensors,
                                    std::string_view name) {
  for (const TensorSpec &spec : tensors)
    if (spec.name == name)
      return &spec;
  return nullptr;
}

/// That of `info`, or else that of the partner.
static const TensorSpec *findTensor(const FunctionInfo &info,
                                    const FunctionInfo *partner,
                                    std::string_view name) {
  const TensorSpec *own = findTensor(info.tensors, name);
  return own || !partner ? own : findTensor(partner->tensors, name);
}

static std::string namesOf(const FunctionInfo &info) {
  std::string names;
  for (const TensorSpec &spec : info.tensors)
    names += (names.empty() ? "" : ", ") + spec.name;
  return names;
}

static Status unknownTensor(const FunctionInfo &info,
                            const FunctionInfo *partner, std::string_view flag,
                            const std::string &name) {
  std::string text =
      fmt::format("--{}={}=...: @{} has no such tensor, it has {}", flag, name,
                  info.name, namesOf(info));
  if (partner)
    text += fmt::format("; nor has @{}, which has {}", partner->name,
                        namesOf(*partner));
  return invalid(std::move(text));
}

/// Both hold the same letters.
static bool isPermutation(std::string a, std::string b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

/// A tensor of `info` has the axes of `order`.
static bool hasTensorOf(const FunctionInfo &info, const std::string &order) {
  return std::ranges::any_of(info.tensors, [&](const TensorSpec &spec) {
    return isPermutation(order, lettersOf(spec));
  });
}

Status ProblemOptions::check(const FunctionInfo &info,
                             const FunctionInfo *partner) const {
  const std::pair<const char *, const std::map<std::string, std::string> *>
      byName[] = {{"layout", &ordersByName},
                  {"pad", &pads},
                  {"offset", &offsets},
                  {"broadcast", &broadcasts}};
  for (auto [flag, map] : byName)
    for (const auto &[name, value] : *map)
      if (!findTensor(info, partner, name))
        return unknownTensor(info, partner, flag, name);
  for (const auto &[name, order] : ordersByName)
    if (const TensorSpec &spec = *findTensor(info, partner, name);
        !isPermutation(order, lettersOf(spec)))
      return invalid(fmt::format("--layout={}={}: required is a permutation of "
                                 "its axes {}",
                                 name, order, axesOf(spec)));
  for (const auto &[name, axes] : broadcasts)
    for (char letter : axes)
      if (const TensorSpec &spec = *findTensor(info, partner, name);
          lettersOf(spec).find(letter) == std::string::npos)
        return invalid(fmt::format("--broadcast={}={}: its axes are {}", name,
                                   axes, axesOf(spec)));
  for (const std::string &order : orders)
    if (!hasTensorOf(info, order) && !(partner && hasTensorOf(*partner, order)))
      return invalid(fmt::format("--layout={}: no tensor of @{} has these axes",
                                 order, info.name));
  return Status();
}

static std::span<const TensorSpec> inputsOf(const FunctionInfo &info) {
  return std::span(info.tensors).first(info.numInputs);
}

/// The tensor NAME that tensor `index` of `info`, dNAME, is the gradient in: an
/// input of the function for a result, and a result of it for an input. Null
/// for other tensors: an input may be called dt without being a gradient.
static const TensorSpec *variableOf(size_t index, const FunctionInfo &info,
                                    const FunctionInfo *partner) {
  std::string_view name = info.tensors[index].name;
  if (!name.starts_with('d'))
    return nullptr;
  name.remove_prefix(1);
  const TensorSpec *variable = nullptr;
  if (index >= info.numInputs)
    variable = findTensor(inputsOf(info), name);
  if (variable || !partner)
    return variable;
  // Gradients do not take the inputs that they do not need.
  std::span<const TensorSpec> tensors = partner->tensors;
  return findTensor(index >= info.numInputs
                        ? inputsOf(*partner)
                        : tensors.subspan(partner->numInputs),
                    name);
}

Result<ProblemOptions>
ProblemOptions::forFunction(const FunctionInfo &info,
                            const FunctionInfo *partner) const {
  MAMBA_RETURN_IF_ERROR(check(info, partner));
  ProblemOptions own = *this;
  for (size_t i = 0; i < info.tensors.size(); ++i)
    if (const TensorSpec *variable = variableOf(i, info, partner))
      if (auto said = ordersByName.find(variable->name);
          said != ordersByName.end() &&
          isPermutation(said->second, lettersOf(info.tensors[i])))
        own.ordersByName.insert({info.tensors[i].name, said->second});
  for (auto *map :
       {&own.ordersByName, &own.pads, &own.offsets, &own.broadcasts})
    std::erase_if(*map, [&](const auto &entry) {
      return !findTensor(info.tensors, entry.first);
    });
  std::erase_if(own.orders, [&](const std::string &order) {
    return !hasTensorOf(info, order);
  });
  return own;
}

std::string ProblemOptions::orderOf(const TensorSpec &spec) const {
  std::string letters = lettersOf(spec);
  auto named = ordersByName.find(spec.name);
  if (named != ordersByName.end())
    return named->second;
  for (const std::string &order : orders)
    if (isPermutation(order, letters))
      return order;
  return letters;
}

bool ProblemOptions::mentions(const TensorSpec &spec) const {
  return orderOf(spec) != lettersOf(spec) || pads.contains(spec.name) ||
         offsets.contains(spec.name) || broadcasts.contains(spec.name);
}

bool ProblemOptions::isBroadcast(const TensorSpec &spec, Axis axis) const {
  auto axes = broadcasts.find(spec.name);
  return axes != broadcasts.end() &&
         axes->second.find(letterOf(axis)) != std::string::npos;
}

/// The number that `map`, which is that of `flag`, has for `name`, at least 0;
/// 0 if there is none.
static Result<int64_t> countOf(const std::map<std::string, std::string> &map,
                               std::string_view flag, const std::string &name) {
  auto entry = map.find(name);
  if (entry == map.end())
    return 0;
  std::string context = fmt::format("--{}={}={}", flag, name, entry->second);
  Result<int64_t> count = parseNumber(entry->second);
  if (!count.ok())
    return count.status().withContext(context);
  if (*count < 0)
    return invalid(fmt::format("{}: found {}, required a number of at least 0",
                               context, *count));
  return count;
}

Result<Placement> ProblemOptions::place(const TensorSpec &spec,
                                        std::span<const int64_t> shape) const {
  Placement placement;
  MAMBA_ASSIGN_OR_RETURN(int64_t pad, countOf(pads, "pad", spec.name));
  MAMBA_ASSIGN_OR_RETURN(placement.offset,
                         countOf(offsets, "offset", spec.name));
  std::string order = orderOf(spec);
  std::vector<int64_t> widths(shape.begin(), shape.end());
  if (room) {
    MAMBA_ASSIGN_OR_RETURN(widths, shapeOf(spec, *room));
  }
  placement.strides.assign(shape.size(), 0);
  int64_t stride = 1;
  bool overflow = false, isInnermost = true;
  std::vector<bool> placed(shape.size());
  for (size_t i = order.size(); i-- > 0;) {
    // Axes outside the iteration space share a letter; they keep their order.
    size_t dim = shape.size();
    for (size_t j = 0; j < shape.size(); ++j)
      if (!placed[j] && letterOf(spec.dims[j].axis) == order[i])
        dim = j;
    placed[dim] = true;
    if (isBroadcast(spec, spec.dims[dim].axis))
      continue;
    placement.strides[dim] = stride;
    int64_t width = std::max<int64_t>(widths[dim], 1) + (isInnermost ? pad : 0);
    overflow |= __builtin_mul_overflow(stride, width, &stride);
    isInnermost = false;
  }
  if (overflow)
    return invalid(fmt::format("the size of '{}' overflows: found shape ({}), "
                               "required are fewer than 2^63 elements with all "
                               "padding",
                               spec.name, fmt::join(shape, ", ")));
  return placement;
}
