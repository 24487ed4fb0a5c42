//===- Suite.cpp - The cases of the numerics suite ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/Suite.h"

#include "test/e2e/numerics/Factors.h"
#include "test/e2e/numerics/SingleCases.h"

#include <algorithm>

using namespace mamba;
using namespace mamba::numerics;

namespace {

/// Sizes of problems that stay within the time of a test.
struct Limits {
  int64_t elements;      ///< B L D
  int64_t points;        ///< B L D N
  int64_t matrix;        ///< B L G N
  int64_t channelPoints; ///< L N: what the reference computes at least.
  int64_t states = 0;    ///< B L D N where all states are a result.
};

constexpr Limits kCpuLimits = {4'500'000, 70'000'000, 9'000'000, 1'100'000,
                               4'000'000};
constexpr Limits kCudaLimits = {14'000'000, 500'000'000, 17'000'000, 4'200'000,
                                20'000'000};
constexpr Limits kSimtLimits = {30'000, 300'000, 100'000, 100'000, 100'000};
constexpr Limits kQuickLimits = {40'000, 200'000, 100'000, 40'000, 100'000};

} // namespace

/// Sums over sequences and channels are compared whole.
constexpr int64_t kGradientPoints = 60'000;

static bool fits(const Case &test, const Limits &limits) {
  if (test.has("grad") && test.points() > kGradientPoints)
    return false;
  int64_t perStep = test.groups() * test.number("N");
  int64_t steps = test.number("B") * test.number("L");
  bool keepsStates = !test.is("out", "y");
  return test.elements() <= limits.elements &&
         test.points() <= (keepsStates ? limits.states : limits.points) &&
         (!test.hasStates() ||
          (steps * perStep <= limits.matrix &&
           test.number("L") * test.number("N") <= limits.channelPoints));
}

static bool isMeaningful(const Case &test) {
  bool usualSteps = test.is("fill", "usual");
  if (test.is("G", "2") && test.number("D") % 2 != 0)
    return false;
  // Only softplus makes steps of any number, and Euler's rule needs small ones.
  if (!usualSteps && (test.is("step", "raw") || test.is("rule", "euler") ||
                      test.is("body", "lti") || !test.hasStates()))
    return false;
  // Decays of nearly 1 that hardly change add up their rounding.
  if (test.is("fill", "small") &&
      (test.number("L") > 257 || test.is("broadcast", "l")))
    return false;
  // The phases delta A of a step in fp32 are off by 6e-8 delta |A|, and more
  // after softplus; with larger ones the bound is out of any kernel's reach.
  int64_t mostStates =
      test.is("step", "raw") || test.is("body", "lti") ? 64 : 16;
  if (test.has("complex") && (test.number("N") > mostStates || !usualSteps))
    return false;
  // A bilinear decay of a large phase is nearly 1: the same where it is
  // constant, and where one recurrence reads another.
  bool isConstant = test.is("body", "lti") || test.is("broadcast", "l") ||
                    test.is("body", "chained");
  if (test.has("complex") && test.is("rule", "bilinear") && isConstant &&
      test.number("N") > (test.is("body", "chained") ? 3 : 16))
    return false;
  // Long complex recurrences that read others are near the bound, and over it
  // where a norm is of a single channel's steps.
  if (test.has("complex") && test.is("body", "chained") &&
      test.number("B") * test.number("D") == 1 && test.number("L") > 257)
    return false;
  // A single last state may be as small as what its terms leave when they
  // cancel: no norm averages that.
  int64_t lastStates = test.number("B") * test.number("D") *
                       (test.hasStates() ? test.number("N") : 1);
  if (test.has("last") && lastStates == 1)
    return false;
  // So may the gradients of the only D, and of few biases of complex phases.
  if (test.has("grad") &&
      (test.is("D", "1") || (test.has("complex") && test.is("D", "3"))))
    return false;
  // Complex numbers have no half-precision type.
  return !(test.has("complex") && test.is("store", "act"));
}

//===----------------------------------------------------------------------===//
// Designs
//===----------------------------------------------------------------------===//

/// Steps that a lane holds in a loop over n.
static int64_t stateItems(const Case &test) {
  return test.number("items") *
         (test.is("split", "1") ? test.number("lanes") : 1);
}

/// Two stages have a limit of their own (SSMDialect.cpp).
static bool fitsStages(const Case &test) {
  return !test.is("stages", "2") ||
         stateItems(test) * test.number("channels") * test.number("unroll") <=
             64;
}

/// Lanes that split states share them out evenly, and a tile with no other
/// warp.
static bool fitsSplit(const Case &test) {
  constexpr int64_t kMostItems = 32;
  return !test.is("split", "1") ||
         (test.hasStates() && stateItems(test) <= kMostItems &&
          test.number("N") % test.number("lanes") == 0 &&
          (test.is("warps_l", "1") || test.is("relay", "1")));
}

/// A single chunk hands nothing on.
static bool fitsHandoff(const Case &test) {
  return !test.is("handoff", "1") || !test.is("chunks", "1");
}

/// Warps that take turns are several along L and one along the channels; only
/// they may be any number.
static bool fitsRelay(const Case &test) {
  if (test.is("relay", "1"))
    return !test.is("warps_l", "1") && test.is("warps_d", "1");
  return !test.is("warps_l", "3");
}

/// Tiles that are replayed follow each other, and so they do in a gradient; on
/// a GPU within chunks.
static bool fitsReplay(const Case &test) {
  auto isOff = [&](std::string_view key, std::string_view off) {
    return test.get(key).empty() || test.is(key, off);
  };
  bool isInOrder = isOff("chunks", "1") || test.get("vector").empty();
  return !test.has("grad") || (isInOrder && isOff("relay", "0"));
}

/// How much a simulated GPU has to do: each thread takes its turn for each
/// state and channel of each tile, and most turns are the sweeps' over warps.
static int64_t simulatedTurns(const Case &test) {
  auto number = [&](std::string_view key) {
    return std::max<int64_t>(1, test.number(key));
  };
  auto tiles = [](int64_t extent, int64_t tile) {
    return (extent + tile - 1) / tile;
  };
  constexpr int64_t kWarp = 32;
  int64_t warps = number("warps_l") * number("warps_d");
  int64_t steps = number("lanes") * number("items") * number("warps_l");
  int64_t channels =
      kWarp / number("lanes") * number("warps_d") * number("channels");
  return test.number("B") * tiles(test.number("L"), steps) *
         tiles(test.number("D"), channels) * kWarp * warps *
         (test.hasStates() ? test.number("N") : 1) * number("channels");
}

/// A second or two. What such cases show, shorter sequences with the same
/// schedule show as well: some tiles, and the last one of fewer steps.
static bool canBeSimulated(const Case &test) {
  constexpr int64_t kMostTurns = 1'000'000;
  return test.get("lanes").empty() || simulatedTurns(test) <= kMostTurns;
}

/// Chunks start from carries, which a recurrence that reads another one does
/// not have, unless they are handed on.
static bool isSchedulable(const Case &test) {
  return fitsStages(test) && fitsSplit(test) && fitsHandoff(test) &&
         fitsRelay(test) && fitsReplay(test) &&
         (!test.is("body", "chained") || test.is("handoff", "1") ||
          test.get("chunks") == "1" || test.get("chunks").empty());
}

/// Gives each case a body that no one wrote: number `first` and the next ones.
static std::vector<Case> withBodies(std::vector<Case> cases, int64_t first) {
  for (Case &test : cases)
    test.set("bodyseed", std::to_string(first++));
  return cases;
}

/// Such bodies, half of them with the default schedule.
static std::vector<Case> randomCases(const Design &shapes,
                                     const Design &scheduled,
                                     const SuiteOptions &options) {
  std::vector<Case> cases = sample(shapes, options.seed, options.random / 2);
  for (const Case &test :
       sample(scheduled, options.seed, options.random - std::ssize(cases)))
    cases.push_back(test);
  return withBodies(std::move(cases), options.seed * options.random);
}

/// Gradients of other such bodies.
static std::vector<Case> randomGradients(const Design &shapes,
                                         const SuiteOptions &options) {
  constexpr int64_t kShare = 4;
  return withBodies(sample(shapes, options.seed, options.random / kShare),
                    (options.seed + 1) * options.random);
}

using Ranks = std::vector<std::pair<std::string, int>>;

/// Each dimension of each tensor with strides that 32 bits can't follow.
static void addFar(std::vector<Case> &cases, std::string_view base,
                   const Ranks &tensors,
                   const std::vector<std::string> &reaches) {
  for (const auto &[tensor, rank] : tensors)
    for (int dim = 0; dim < rank; ++dim)
      for (const std::string &reach : reaches) {
        Case test = caseOf(base);
        test.set("far", tensor + "." + std::to_string(dim) + "." + reach);
        test.set("order", dim % 2 ? "bdl" : "bld");
        cases.push_back(test);
      }
}

/// Temporaries with strides that 32 bits can't follow. Their last dimension has
/// no stride. They would not all fit a real GPU's memory.
static std::vector<Case> farTemporaries() {
  constexpr const char *kLayer =
      "kind=far type=bf16 B=3 D=4 N=3 G=2 init=bdn out=both ";
  // Totals over l; those over channels, of a tile or one by one.
  const Ranks steps = {
      {"partial_sums", 1}, {"partial_sums1", 2}, {"partial_sums4", 1}};
  const Ranks channels = {{"partial_sums2", 3}, {"partial_sums3", 3}};
  const std::string tiles = "grad=1 L=9 lanes=2 items=2 channels=1";
  const std::string uniform = "grad=1 L=40 lanes=16 items=1 channels=1";
  const std::string chunks = "L=9 lanes=2 items=1 channels=1 chunks=3";
  std::vector<Case> cases;
  auto add = [&](const std::string &schedule, const Ranks &temporaries) {
    addFar(cases, kLayer + schedule, temporaries, {"3221225472"});
  };
  // What the last of three chunks is has no reader: the second one is too far.
  auto addChunks = [&](const std::string &schedule, const char *pair) {
    addFar(cases, kLayer + schedule, {{pair, 2}}, {"4294967298"});
  };
  add(tiles, steps);
  add(tiles, channels);
  add(tiles, {{"checkpoints", 3}});
  add(uniform, channels);
  addChunks(chunks, "chunk_decay+chunk_carry");
  add(chunks + " handoff=1", {{"chunk_state", 2}});
  for (const char *pair :
       {"chunk_decay+chunk_carry", "chunk_decay1+chunk_carry1"})
    addChunks(chunks + " grad=1", pair);
  add(chunks + " grad=1", {{"partial_sums", 2}});
  return cases;
}

/// Of the layer and of its gradients; of those, which take longer, one reach
/// has to do off a real GPU.
static std::vector<Case> farCases(bool isCuda, bool isSimt) {
  constexpr std::string_view kLayer =
      "kind=far type=bf16 B=3 L=9 D=20 N=3 G=2 init=bdn out=both";
  const Ranks inputs = {{"u", 3}, {"delta", 3}, {"A", 2},    {"B", 4}, {"C", 4},
                        {"D", 1}, {"z", 3},     {"bias", 1}, {"h0", 3}};
  const Ranks results = {{"result0", 3}, {"result1", 4}, {"result2", 3}};
  const std::vector<std::string> reaches = {"2147483647", "2147483648",
                                            "4294967297"};
  std::vector<Case> cases;
  addFar(cases, kLayer, inputs, reaches);
  addFar(cases, kLayer, results, reaches);
  Ranks all = inputs;
  for (const Ranks &ranks : {inputs, results})
    for (const auto &[tensor, rank] : ranks)
      all.emplace_back("d" + tensor, rank);
  const std::string layer(kLayer);
  addFar(cases, layer + " grad=1", all,
         isCuda ? reaches : std::vector<std::string>{"2147483648"});
  const std::vector<std::string> farthest = {"4294967297"};
  const Ranks saved = {{"saved0", 4}};
  addFar(cases, layer + " save=4", saved, farthest);
  addFar(cases, layer + " save=4 grad=1", saved, farthest);
  if (isCuda || isSimt) {
    // A tile for each segment.
    addFar(cases, layer + " save=4 grad=1 lanes=2 items=2", saved, farthest);
    const std::string chunks = layer + " lanes=2 items=1 channels=1 chunks=3";
    addFar(cases, chunks, inputs, farthest);
    addFar(cases, chunks + " grad=1", all, farthest);
  }
  if (isSimt)
    for (const Case &test : farTemporaries())
      cases.push_back(test);
  return cases;
}

static std::vector<Case> localityCases(const std::vector<Factor> &knobs) {
  Design design;
  design.base = caseOf("kind=locality");
  design.factors = knobs + std::vector<Factor>{
                               {"type", {"f32", "bf16"}},
                               {"L", {"5", "33", "257"}},
                               {"D", {"3", "40"}},
                               {"N", {"1", "16"}},
                               {"reverse", {"0", "1"}},
                               {"order", {"bld", "bdl"}},
                               {"rule", {"mamba", "zoh", "bilinear"}},
                               {"init", {"none", "bdn"}},
                               {"out", {"y", "both"}},
                           };
  design.isValid = isSchedulable;
  std::vector<Case> cases = cover(design, 1);
  // And with the default schedule.
  Design plain = design;
  plain.factors.erase(plain.factors.begin(),
                      plain.factors.begin() + std::ssize(knobs));
  for (const Case &test : cover(plain, 2))
    cases.push_back(test);
  return cases;
}

/// Each field of the schedule at its least or its most, in all combinations
/// that there are.
static std::vector<Case> cornerCases(Design design, uint64_t seed,
                                     bool isSimt) {
  // Complex numbers take a compiler twice as long: in one of four.
  for (Factor &factor : design.factors)
    if (factor.key == "complex")
      factor.values = {"0", "0", "0", "1"};
  std::vector<Case> problems =
      sample(design, seed, int64_t(1) << kCudaKnobs.size());
  for (size_t corner = 0; corner < problems.size(); ++corner)
    for (size_t knob = 0; knob < kCudaKnobs.size(); ++knob) {
      const Factor &factor = kCudaKnobs[knob];
      problems[corner].set(factor.key, corner >> knob & 1
                                           ? factor.values.back()
                                           : factor.values.front());
    }
  if (isSimt)
    for (Case &test : problems)
      if (!canBeSimulated(test))
        test.set("L", "80");
  // To save time.
  std::erase_if(problems, [](const Case &test) {
    return !fitsStages(test) || !fitsHandoff(test) || !fitsRelay(test) ||
           (test.is("relay", "1") && test.is("prefetch", "0"));
  });
  return problems;
}

/// Small layers of all bodies, to be changed.
static Design malformedDesign(std::vector<Factor> factors) {
  Design design;
  design.base = caseOf("kind=malformed B=2 L=7 D=6 N=3");
  design.factors = std::move(factors);
  for (const char *key : {"B", "L", "D", "N"})
    std::erase_if(design.factors,
                  [&](const Factor &factor) { return factor.key == key; });
  design.isValid = isMeaningful;
  return design;
}

//===----------------------------------------------------------------------===//
// The suite
//===----------------------------------------------------------------------===//

namespace {

class SuiteBuilder {
public:
  explicit SuiteBuilder(const SuiteOptions &options)
      : options(options), limits(options.isCuda ? kCudaLimits : kCpuLimits) {
    if (options.isSimt)
      limits = kSimtLimits;
    if (options.isQuick)
      limits = kQuickLimits;
  }

  std::vector<Case> build();
  std::vector<Case> buildTranslated();

private:
  Design design(std::string_view base, std::vector<Factor> factors) const;
  void addDesign(std::string_view base, std::vector<Factor> factors);
  /// Of a quick suite, every tenth.
  void add(const std::vector<Case> &more);

  const SuiteOptions &options;
  Limits limits;
  std::vector<Case> cases;
};

} // namespace

Design SuiteBuilder::design(std::string_view base,
                            std::vector<Factor> factors) const {
  Design result;
  result.base = caseOf(base);
  result.factors = std::move(factors);
  result.isValid = [limits = limits,
                    isSimt = options.isSimt](const Case &test) {
    return isMeaningful(test) && fits(test, limits) && isSchedulable(test) &&
           (!isSimt || canBeSimulated(test));
  };
  return result;
}

static unsigned sumOfText(const Case &test) {
  unsigned sum = 0;
  for (char letter : test.text())
    sum = 31 * sum + static_cast<unsigned char>(letter);
  return sum;
}

/// Packs the staged tiles of every second case, by its text, where that can be,
/// copies steps in every second one that loads them ahead, computes some
/// exponentials as polynomials in every fourth one, and in gradients keeps 1,
/// 2, 4 or 16 sums over channels apart, of blocks by atomics in every fourth
/// one. Chunks that start independently have 1 to 4 parts, and the last one is
/// up to 3 times as long. Factors of the designs would mostly be drawn where
/// they say nothing.
static Case withFurtherKnobs(Case test) {
  constexpr int64_t kWord = 8;
  unsigned sum = sumOfText(test);
  if (test.is("prefetch", "1") && (sum >> 20 & 1))
    test.set("prefetch", "2");
  if (!test.get("lanes").empty() && (sum >> 8 & 3) == 3)
    test.set("fma_exps", std::to_string(1 + (sum >> 4) % 8));
  if (test.has("grad") && !test.get("lanes").empty())
    test.set("apart",
             std::to_string((sum >> 12 & 3) == 3 ? 16 : 1 << (sum >> 12 & 3)));
  if (test.has("grad") && !test.get("lanes").empty() &&
      test.is("kind", "verify") && test.get("atomics").empty())
    test.set("atomics", (sum >> 14 & 3) == 3 ? "1" : "0");
  if (test.number("chunks") > 1 && test.is("handoff", "0")) {
    test.set("carry_parts", std::to_string(1 + (sum >> 24 & 3)));
    test.set("last_chunk", std::to_string(1 + (sum >> 26) % 3));
  }
  if (test.get("lanes").empty() || test.is("type", "f32") ||
      stateItems(test) % kWord != 0)
    return test;
  test.set("packed", sum >> 16 & 1 ? "1" : "0");
  return test;
}

void SuiteBuilder::add(const std::vector<Case> &more) {
  for (size_t i = 0; i < more.size(); i += options.isQuick ? 10 : 1)
    if (Case test = withFurtherKnobs(more[i]);
        std::find(cases.begin(), cases.end(), test) == cases.end())
      cases.push_back(test);
}

void SuiteBuilder::addDesign(std::string_view base,
                             std::vector<Factor> factors) {
  Design all = design(base, std::move(factors));
  add(cover(all, options.seed));
  add(sample(all, options.seed, options.extra));
}

std::vector<Case> SuiteBuilder::build() {
  bool isGpu = options.isCuda || options.isSimt;
  const std::vector<Factor> &knobs = isGpu ? kCudaKnobs : kCpuKnobs;
  addDesign("", kSelective + kMemory);
  addDesign("body=lti", kTimeInvariant + kSmallExtents + kMemory);
  addDesign("", kOtherSelective + kSmallExtents + kMemory);
  addDesign("", kWithoutStates + kSmallExtents + kMemory);
  addDesign("body=math B=2 L=33 D=40", kMath);
  addDesign("", kScheduled + knobs);
  if (!isGpu)
    add(sample(design("", kScheduled + kCpuKnobs + kCpuChunks), options.seed,
               options.extra));
  else
    add(cornerCases(design("", kScheduled), options.seed, options.isSimt));
  if (isGpu)
    addDesign("", kScheduled + kSplitKnobs);
  // Those that read each other's states are refused where chunks are asked for.
  const std::vector<Factor> &all = isGpu ? kCudaKnobs : kCpuKnobs + kCpuChunks;
  add(randomCases(design("body=random", kRandomShapes + kMemory),
                  design("body=random", kRandomShapes + kMemory + all),
                  options));
  // Forward that saves states, on every kind of schedule.
  add(sample(design("save=24", kScheduled + knobs), options.seed,
             options.extra));
  addDesign("grad=1", kGradient + kMemory);
  addDesign("grad=1", kOtherGradient + kMemory);
  addDesign("grad=1", kSeveralGradient + kMemory);
  addDesign("grad=1", kScheduledGradient + all);
  addDesign("grad=1 N=48 L=80", kManyStatesGradient + all);
  add(randomGradients(design("body=random grad=1", kRandomShapes + kMemory),
                      options));
  if (!options.isQuick && !options.isSimt)
    add(largeCases(options.isCuda));
  add(emptyCases(isGpu));
  add(largeStepCases());
  if (isGpu)
    add(groupCases());
  add(repeatCases());
  add(localityCases(knobs));
  for (const std::vector<Factor> &factors :
       {kSelective, kTimeInvariant, kOtherSelective, kWithoutStates})
    add(sample(malformedDesign(factors), options.seed, options.malformed));
  add(farCases(options.isCuda, options.isSimt));
  return std::move(cases);
}

/// What becomes CUDA C++: bodies and schedules of every kind, and every
/// function.
std::vector<Case> SuiteBuilder::buildTranslated() {
  limits = kSimtLimits;
  auto draw = [&](std::string_view base, std::vector<Factor> factors,
                  int64_t count) {
    add(sample(design(base, std::move(factors)), options.seed, count));
  };
  draw("kind=translate body=random", kRandomShapes + kMemory + kCudaKnobs,
       options.translated);
  draw("kind=translate", kScheduled + kCudaKnobs, options.translated / 2);
  draw("kind=translate grad=1", kScheduledGradient + kCudaKnobs,
       options.translated / 4);
  add(cover(design("kind=translate body=math B=2 L=33 D=40", kMath),
            options.seed));
  return std::move(cases);
}

std::vector<Case> numerics::makeSuite(const SuiteOptions &options) {
  SuiteBuilder builder(options);
  return options.translated > 0 ? builder.buildTranslated() : builder.build();
}
