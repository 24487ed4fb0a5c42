//===- Verify.cpp - Kernels against the reference -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Norms are summed over all slices, so that the error of a sample estimates the
// error of the whole.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Verify.h"

#include "runtime/DType.h"
#include "runtime/Layout.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace mamba;

namespace {

constexpr double kSingleBound = 1e-5;
/// With numbers in between that are rounded to bf16. An error of c 2^-24 takes
/// one in 65,536 / c of them to the other side, 2^-8 away: 1.5e-5 sqrt(c).
constexpr double kRoundedBound = 1e-4;
constexpr double kDoubleBound = 1e-12;
constexpr double kRoundingFactor = 1.05;

/// Squared norms over one result.
struct Norms {
  int64_t elements = 0;
  double exact = 0;
  double difference = 0;
  double rounding = 0;
  bool hasMismatch = false;

  void add(double wanted, double rounded, double found);
};

/// The extents of a problem's axes, by Axis; 1 where no tensor has one.
struct Extents {
  int64_t of[6] = {1, 1, 1, 1, 1, 1};

  int64_t get(Axis axis) const { return of[static_cast<size_t>(axis)]; }
  double points() const {
    return double(get(Axis::Batch)) * double(get(Axis::Length)) *
           double(get(Axis::Channel)) * double(get(Axis::State));
  }
};

} // namespace

void Norms::add(double wanted, double rounded, double found) {
  ++elements;
  // Rounding may overflow to an infinity, which the kernel must give too.
  if (!std::isfinite(rounded) || !std::isfinite(found)) {
    bool isSame = std::isnan(rounded) ? std::isnan(found) : rounded == found;
    hasMismatch |= !isSame;
    return;
  }
  exact += wanted * wanted;
  difference += (found - wanted) * (found - wanted);
  rounding += (rounded - wanted) * (rounded - wanted);
}

static std::complex<double> roundTo(DType dtype, std::complex<double> value) {
  std::byte element[16];
  writeElement(element, dtype, value);
  return readElement(element, dtype);
}

static void addResult(const std::vector<std::complex<double>> &exact,
                      const std::vector<std::complex<double>> &found,
                      DType dtype, Norms &norms) {
  for (size_t i = 0; i < exact.size(); ++i) {
    std::complex<double> rounded = roundTo(dtype, exact[i]);
    norms.add(exact[i].real(), rounded.real(), found[i].real());
    if (isComplex(dtype))
      norms.add(exact[i].imag(), rounded.imag(), found[i].imag());
  }
}

static double boundOf(DType dtype, double roundingError, bool roundsBetween) {
  double single = roundsBetween ? kRoundedBound : kSingleBound;
  switch (dtype) {
  case DType::F16:
  case DType::BF16:
    return std::max(kRoundingFactor * roundingError, single);
  case DType::F32:
  case DType::C64:
    return single;
  case DType::F64:
  case DType::C128:
    return roundsBetween ? kRoundedBound : kDoubleBound;
  }
  return 0;
}

static ResultCheck judge(const TensorSpec &spec, const Norms &norms,
                         bool roundsBetween) {
  double scale = norms.exact > 0 ? std::sqrt(norms.exact) : 1;
  ResultCheck check;
  check.name = spec.name;
  check.dtype = spec.dtype;
  check.elements = norms.elements / (isComplex(spec.dtype) ? 2 : 1);
  check.error = norms.hasMismatch ? std::numeric_limits<double>::infinity()
                                  : std::sqrt(norms.difference) / scale;
  check.bound =
      boundOf(spec.dtype, std::sqrt(norms.rounding) / scale, roundsBetween);
  return check;
}

static Extents extentsOf(const FunctionInfo &info,
                         std::span<const TensorView> inputs,
                         std::span<const TensorView> results) {
  Extents extents;
  for (size_t i = 0; i < info.tensors.size(); ++i) {
    const TensorView &view =
        i < inputs.size() ? inputs[i] : results[i - inputs.size()];
    for (int dim = 0; dim < view.rank; ++dim)
      if (const DimSpec &spec = info.tensors[i].dims[dim]; spec.tellsAxis())
        extents.of[static_cast<size_t>(spec.axis)] = view.shape[dim];
  }
  return extents;
}

/// Slices of one sequence and a few channels within one group each, which
/// together have at most `maxPoints` points, or are one channel.
static std::vector<ProblemSlice> chooseSlices(const Extents &extents,
                                              const VerifyOptions &options) {
  int64_t batch = extents.get(Axis::Batch);
  int64_t channels = extents.get(Axis::Channel);
  int64_t inGroup = channels / std::max<int64_t>(extents.get(Axis::Group), 1);
  int64_t width = std::clamp<int64_t>(inGroup, 1, 4);
  double pointsOfChannel =
      extents.points() / (double(batch) * double(channels));
  double affordable = double(options.maxPoints) / pointsOfChannel;
  width = std::clamp<int64_t>(int64_t(affordable / 2), 1, width);
  int64_t count = std::clamp<int64_t>(int64_t(affordable / width), 1, 16);
  std::mt19937_64 random(options.seed);
  std::vector<ProblemSlice> slices;
  for (int64_t i = 0; i < count; ++i) {
    // The last slice ends with the last channel of the last sequence.
    bool isLast = i + 1 == count;
    int64_t b = isLast ? batch - 1 : i == 0 ? 0 : int64_t(random() % batch);
    int64_t group = isLast   ? channels / inGroup - 1
                    : i == 0 ? 0
                             : int64_t(random() % (channels / inGroup));
    int64_t room = inGroup - width + 1;
    int64_t offset = isLast ? room - 1 : i == 0 ? 0 : int64_t(random() % room);
    int64_t begin = group * inGroup + offset;
    slices.push_back({{b}, begin, begin + width, channels});
  }
  return slices;
}

static ProblemSlice wholeProblem(const Extents &extents) {
  ProblemSlice slice;
  for (int64_t b = 0; b < extents.get(Axis::Batch); ++b)
    slice.batches.push_back(b);
  slice.channelEnd = slice.numChannels = extents.get(Axis::Channel);
  return slice;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

TensorView ProblemPart::of(const TensorView &view,
                           const TensorSpec &spec) const {
  TensorView part = view;
  for (int dim = 0; dim < view.rank; ++dim)
    switch (const DimSpec &own = spec.dims[static_cast<size_t>(dim)];
            own.axis) {
    case Axis::Batch:
      part.shape[dim] = batch;
      break;
    case Axis::Length:
      part.shape[dim] = own.extentAt(length);
      break;
    case Axis::Channel:
      part.shape[dim] = channels;
      break;
    default:
      break;
    }
  return part;
}

std::vector<TensorView> ProblemPart::of(std::span<const TensorView> views,
                                        const FunctionInfo &info) const {
  std::vector<TensorView> parts;
  for (size_t i = 0; i < views.size(); ++i)
    parts.push_back(of(views[i], info.tensors[i]));
  return parts;
}

/// About `most` of `extent`, with the same remainder by `divisor`.
static int64_t shrink(int64_t extent, int64_t most, int64_t divisor) {
  int64_t part = std::max(most / divisor, int64_t(1)) * divisor;
  return std::min(extent, part + extent % divisor);
}

static bool isFixed(const FunctionInfo &info, Axis axis) {
  for (const TensorSpec &spec : info.tensors)
    for (const DimSpec &dim : spec.dims)
      if (dim.axis == axis && dim.tellsAxis() && dim.extent != kDynamic)
        return true;
  return false;
}

std::optional<ProblemPart>
mamba::partToVerify(const FunctionInfo &info,
                    std::span<const TensorView> tensors,
                    const VerifyOptions &options) {
  Extents extents = extentsOf(info, tensors.first(info.numInputs),
                              tensors.subspan(info.numInputs));
  if (!info.sumsPoints || extents.points() <= double(options.maxPoints))
    return std::nullopt;
  auto partOf = [&](Axis axis, int64_t most, int64_t divisor) {
    int64_t extent = extents.get(axis);
    return isFixed(info, axis) ? extent : shrink(extent, most, divisor);
  };
  // Two sequences, the fewest channels of which a kernel may know what divides
  // them, and steps for what is left of the points: tiles that follow each
  // other.
  constexpr int64_t kBatch = 2, kLeastSteps = 256, kStepDivisor = 16;
  ProblemPart part;
  part.batch = partOf(Axis::Batch, kBatch, 1);
  part.channels =
      partOf(Axis::Channel, 1,
             std::lcm(kMostChannelMultiple, extents.get(Axis::Group)));
  int64_t perStep = part.batch * part.channels * extents.get(Axis::State);
  part.length =
      partOf(Axis::Length, std::max(options.maxPoints / perStep, kLeastSteps),
             kStepDivisor);
  return part;
}

bool Verification::passed() const {
  return std::all_of(results.begin(), results.end(),
                     [](const ResultCheck &check) { return check.passed(); });
}

Result<Verifier> Verifier::create(const Function &function,
                                  std::span<const TensorView> inputs,
                                  std::span<const TensorView> results,
                                  const VerifyOptions &options) {
  const FunctionInfo &info = function.info();
  Extents extents = extentsOf(info, inputs, results);
  Verifier verifier(function);
  verifier.isWhole_ = extents.points() <= double(options.maxPoints);
  if (verifier.isWhole_)
    verifier.slices_ = {wholeProblem(extents)};
  else
    verifier.slices_ = chooseSlices(extents, options);
  for (const ProblemSlice &slice : verifier.slices_) {
    MAMBA_ASSIGN_OR_RETURN(SliceValues exact, function.source()->evaluateSlice(
                                                  info, inputs, slice));
    verifier.exact_.push_back(std::move(exact));
  }
  return verifier;
}

Result<Verification>
Verifier::check(std::span<const TensorView> results) const {
  const FunctionInfo &info = function_.info();
  std::vector<Norms> norms(info.numResults);
  for (size_t k = 0; k < slices_.size(); ++k) {
    MAMBA_ASSIGN_OR_RETURN(SliceValues found,
                           readSlice(info, results, slices_[k]));
    for (size_t i = 0; i < found.size(); ++i)
      addResult(exact_[k][i], found[i], info.tensors[info.numInputs + i].dtype,
                norms[i]);
  }
  Verification verification;
  verification.slices = isWhole_ ? 0 : static_cast<int64_t>(slices_.size());
  for (size_t i = 0; i < norms.size(); ++i)
    verification.results.push_back(
        judge(info.tensors[info.numInputs + i], norms[i], info.roundsBetween));
  return verification;
}

Result<Verification> mamba::verify(const Function &function,
                                   std::span<const TensorView> inputs,
                                   std::span<const TensorView> results,
                                   const VerifyOptions &options) {
  MAMBA_ASSIGN_OR_RETURN(Verifier verifier,
                         Verifier::create(function, inputs, results, options));
  return verifier.check(results);
}
