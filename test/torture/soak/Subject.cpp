//===- Subject.cpp - A layer, and shapes that one kernel serves -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The layers are cases of the numerics suite, so that their bounds are its.
//
//===----------------------------------------------------------------------===//

#include "test/torture/soak/Subject.h"

#include "runtime/Layout.h"

#include <algorithm>
#include <bit>
#include <iterator>

using mamba::numerics::Random;

namespace mamba::soak {

namespace {

constexpr Shape kMost = {4, 700, 200};
/// One of so many subjects may have no sequences or no steps.
constexpr size_t kSubjectsPerEmpty = 10;
/// One of so many subjects may have more steps and channels.
constexpr size_t kSubjectsPerLarger = 8;
/// And so many times the points.
constexpr int64_t kTimesLarger = 8;
constexpr Shape kMostOfLarger = {4, 5000, 1500};

/// Forward with all its options, gradients, a complex layer that does not
/// change with its input, recurrences without states. The last states of the
/// latter are few: what terms leave that cancel, no bound holds for.
constexpr std::string_view kLayers[] = {
    "body=s6",
    "body=s6 N=5 type=bf16 out=both store=act",
    "body=s6 type=f16",
    "body=s6 type=bf16",
    "body=s6 grad=1 last=0",
    "body=s6 grad=1 last=0 type=bf16",
    "body=lti complex=1 gate=none last=0",
    "body=rglru last=0",
    "body=mingru last=0 type=f16"};
constexpr std::string_view kMemories[] = {"", " order=bdl", " pad=8"};
constexpr int64_t kPad = 8;

/// Up to 16 elements: a stride's alignment, and the divisor of a length.
int alignmentOf(int64_t length) {
  return std::min(std::countr_zero(static_cast<uint64_t>(length)), 4);
}

bool isLikeBatch(int64_t x, int64_t y) {
  return extentBucket(x) == extentBucket(y);
}

bool isLikeLength(int64_t x, int64_t y) {
  return extentBucket(x) == extentBucket(y) &&
         alignmentOf(x) == alignmentOf(y) &&
         lengthMultipleOf(x) == lengthMultipleOf(y);
}

/// In one of the memories and types, steps are rows of whole lines: kernels are
/// for one such width.
bool mayBeWholeLines(int64_t channels) {
  constexpr int64_t kPerLine = kRowAlignment / sizeof(float);
  return channels % kPerLine == 0 || (channels + kPad) % kPerLine == 0;
}

bool isLikeChannels(int64_t x, int64_t y) {
  return channelBucket(x) == channelBucket(y) &&
         channelMultipleOf(x) == channelMultipleOf(y) &&
         (x == y || (!mayBeWholeLines(x) && !mayBeWholeLines(y)));
}

using IsLike = bool (*)(int64_t, int64_t);

/// More than any extent like `extent`.
int64_t boundOf(int64_t extent) {
  return std::max(extentBucket(extent), channelBucket(extent)) + 1;
}

int64_t drawLike(int64_t extent, IsLike isLike, Random &random) {
  for (;;)
    if (auto drawn = static_cast<int64_t>(random.below(boundOf(extent)));
        isLike(drawn, extent))
      return drawn;
}

int64_t smallestLike(int64_t extent, IsLike isLike) {
  int64_t smallest = 0;
  while (!isLike(smallest, extent))
    ++smallest;
  return smallest;
}

int64_t largestLike(int64_t extent, IsLike isLike) {
  int64_t largest = boundOf(extent);
  while (!isLike(largest, extent))
    --largest;
  return largest;
}

/// At least `least` sequences and steps, and one channel.
Shape drawShape(int64_t least, const Shape &most, Random &random) {
  auto draw = [&](int64_t from, int64_t to) {
    return from + static_cast<int64_t>(random.below(to - from + 1));
  };
  return {draw(least, most.batch), draw(least, most.length),
          draw(1, most.channels)};
}

/// True unless some result is but a few sums: those may all cancel to next
/// to nothing by chance, and then no kernel keeps the bound. The gradients of B
/// and C are a sum for each step, those of parameters one for each channel.
bool hasManySums(const numerics::Case &test) {
  constexpr int64_t kMany = 8;
  if (test.elements() == 0)
    return true;
  if (!test.has("grad"))
    return test.elements() >= kMany;
  return test.number("B") * test.number("L") >= kMany &&
         test.number("D") >= kMany;
}

template <size_t Count>
std::string_view pick(const std::string_view (&list)[Count], Random &random) {
  return list[random.below(Count)];
}

} // namespace

Shape Subject::draw(Random &random) const {
  return {drawLike(shape_.batch, isLikeBatch, random),
          drawLike(shape_.length, isLikeLength, random),
          drawLike(shape_.channels, isLikeChannels, random)};
}

Shape Subject::largest() const {
  return {largestLike(shape_.batch, isLikeBatch),
          largestLike(shape_.length, isLikeLength),
          largestLike(shape_.channels, isLikeChannels)};
}

Shape Subject::smallest() const {
  return {smallestLike(shape_.batch, isLikeBatch),
          smallestLike(shape_.length, isLikeLength),
          smallestLike(shape_.channels, isLikeChannels)};
}

numerics::Case Subject::caseOf(const Shape &shape, uint64_t seed) const {
  numerics::Case test = layer_;
  test.set("B", std::to_string(shape.batch));
  test.set("L", std::to_string(shape.length));
  test.set("D", std::to_string(shape.channels));
  test.set("seed", std::to_string(seed));
  return test;
}

Function Subject::keep(const Function &fresh) {
  std::lock_guard lock(mutex_);
  if (!function_)
    function_ = fresh;
  return *function_;
}

std::vector<std::unique_ptr<Subject>> drawSubjects(int64_t count, uint64_t seed,
                                                   int64_t maxPoints) {
  Random random(seed);
  std::vector<std::unique_ptr<Subject>> subjects;
  while (std::ssize(subjects) < count) {
    // Each layer as often as the others.
    size_t index = subjects.size();
    numerics::Case layer = *numerics::Case::parse(
        std::string(kLayers[index % std::size(kLayers)]) +
        std::string(pick(kMemories, random)));
    // Sums over points are compared as a whole or not at all.
    bool isLarger = index % kSubjectsPerLarger == 1 && !layer.has("grad");
    auto subject = std::make_unique<Subject>(
        layer, drawShape(index % kSubjectsPerEmpty != 0,
                         isLarger ? kMostOfLarger : kMost, random));
    int64_t points = subject->caseOf(subject->largest(), 0).points();
    if (hasManySums(subject->caseOf(subject->smallest(), 0)) &&
        points <= (isLarger ? kTimesLarger : 1) * maxPoints)
      subjects.push_back(std::move(subject));
  }
  return subjects;
}

} // namespace mamba::soak
