//===- OffsetMutants.cpp - Offsets cut to 32 bits ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An offset is a sum of terms, each an index times a stride, which a kernel has
// as an argument. A mutant for each term of each kernel: tensors and gradients
// by the suite's layer, temporaries too. The stride of the last dimension of a
// temporary is 1, so there is no term.
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Mutants.h"

#include "llvm/Support/StringSaver.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

namespace {

/// A tensor, and how many of its dimensions have a stride.
struct Strided {
  StringLiteral tensor;
  unsigned dims;
  /// What cases with its elements far apart call it, if not that.
  StringLiteral far = "";
};

/// Kernels, and the cases that have tensors of theirs far apart.
struct Kernels {
  StringLiteral name; ///< Part of the mutants' names.
  StringLiteral what;
  Test isMine;
  StringLiteral likely;
  StringLiteral reach;
};

} // namespace

/// Mutants have no memory of their own for text.
static StringRef keep(const Twine &text) {
  static llvm::BumpPtrAllocator memory;
  static llvm::StringSaver saver(memory);
  return saver.save(text);
}

static void cutTerms(std::vector<Mutant> &mutants, const Kernels &kernels,
                     ArrayRef<Strided> tensors) {
  for (const auto &[tensor, dims, far] : tensors)
    for (unsigned dim = 0; dim < dims; ++dim) {
      StringRef stride = keep(tensor + "." + Twine(dim));
      StringRef moved = far.empty() ? StringRef(tensor) : StringRef(far);
      mutants.push_back(
          {keep("narrow-" + kernels.name + "-" + stride),
           keep("the offset in dimension " + Twine(dim) + " of " + tensor +
                " in 32 bits, " + kernels.what),
           keep("kind=far far=" + moved + "." + Twine(dim) + "." +
                kernels.reach + " " + kernels.likely),
           on(each(kernels.isMine && is<arith::MulIOp>() && takes(stride)),
              narrowResult())});
    }
}

static constexpr Strided kInputs[] = {{"u", 3}, {"delta", 3}, {"bias", 1},
                                      {"A", 2}, {"B", 4},     {"C", 4},
                                      {"D", 1}, {"z", 3},     {"h0", 3}};
/// The gradients of results; the last ones are of last states.
static constexpr Strided kGiven[] = {
    {"dresult0", 3}, {"dresult1", 4}, {"dresult2", 3}};
/// What a segment of the recurrence is made of.
static constexpr Strided kScanned[] = {
    {"u", 3}, {"delta", 3}, {"bias", 1}, {"A", 2}, {"B", 4}};
static constexpr Strided kSaved[] = {{"saved0", 4}};
static constexpr Strided kPartialSums[] = {{"partial_sums", 1},
                                           {"partial_sums1", 2},
                                           {"partial_sums2", 3},
                                           {"partial_sums3", 3},
                                           {"partial_sums4", 1}};
static constexpr Strided kCheckpoints[] = {{"checkpoints", 3}};
/// The kernel that joins chunks takes the strides of one for both.
static constexpr StringLiteral kBoth = "chunk_decay+chunk_carry",
                               kOtherBoth = "chunk_decay1+chunk_carry1";
static constexpr Strided kChunks[] = {{"chunk_carry", 2, kBoth},
                                      {"chunk_decay", 2, kBoth}};
static constexpr Strided kOtherChunks[] = {{"chunk_carry1", 2, kOtherBoth},
                                           {"chunk_decay1", 2, kOtherBoth}};

/// How far the suite's cases move tensors, those of chunks or saved states,
/// temporaries, and what chunks are.
static constexpr StringLiteral kReach = "2147483648", kFarther = "4294967297",
                               kTemporary = "3221225472",
                               kFarChunks = "4294967298";

/// Of a layer.
static void cutForward(std::vector<Mutant> &mutants) {
  Test isMain = in(Part::Main) && !inGradient();
  StringLiteral plain = "grad=0 save=0 chunks=", saving = "grad=0 save=4";
  Kernels layer = {"layer", "in a layer's kernel", isMain, plain, kReach};
  cutTerms(mutants, layer, kInputs);
  cutTerms(mutants, layer, {{"result0", 3}, {"result1", 4}, {"result2", 3}});
  cutTerms(mutants, {"layer", "in a layer's kernel", isMain, saving, kFarther},
           kSaved);
  cutTerms(mutants,
           {"layer", "where chunks are handed on", isMain,
            "grad=0 chunks=3 handoff=1", kTemporary},
           {{"chunk_state", 2}});
}

/// Of its kernels that share chunks.
static void cutChunks(std::vector<Mutant> &mutants) {
  StringLiteral chunked = "grad=0 chunks=3 handoff=";
  auto kernels = [&](StringLiteral name, StringLiteral what, Part part,
                     StringLiteral reach) {
    return Kernels{name, what, in(part) && !inGradient(), chunked, reach};
  };
  StringLiteral found = "where chunks' segments are found";
  cutTerms(mutants, kernels("carries", found, Part::Carries, kFarther),
           kScanned);
  cutTerms(mutants, kernels("carries", found, Part::Carries, kFarChunks),
           kChunks);
  cutTerms(
      mutants,
      kernels("chunks", "where chunks are joined", Part::Chunks, kFarChunks),
      ArrayRef(kChunks).front());
  cutTerms(mutants,
           kernels("layer", "where chunks start", Part::Main, kFarChunks),
           kChunks);
}

/// Of a layer's gradients.
static void cutGradients(std::vector<Mutant> &mutants) {
  StringLiteral plain = "grad=1 save=0 chunks=";
  auto kernels = [&](StringLiteral name, StringLiteral what, Part part) {
    return Kernels{name, what, in(part) && inGradient(), plain, kReach};
  };
  Kernels main = kernels("gradient", "in the kernel of gradients", Part::Main);
  cutTerms(mutants, main, ArrayRef(kInputs).drop_back());
  cutTerms(mutants, main, kGiven);
  cutTerms(mutants, main, {{"du", 3}, {"ddelta", 3}, {"dz", 3}, {"dh0", 3}});
  main.likely = "grad=1 save=4 items=2";
  main.reach = kFarther;
  cutTerms(mutants, main, kSaved);
  cutTerms(mutants,
           kernels("states", "where states are kept", Part::Checkpoints),
           ArrayRef(kInputs).back());
  cutTerms(mutants,
           kernels("totals", "where totals are added up", Part::Totals),
           {{"dbias", 1}, {"dA", 2}, {"dB", 4}, {"dC", 4}, {"dD", 1}});
}

/// Of temporaries of gradients.
static void cutGradientTemporaries(std::vector<Mutant> &mutants) {
  StringLiteral tiled = "grad=1 lanes=2 chunks=";
  auto kernels = [&](StringLiteral name, StringLiteral what, Part part) {
    return Kernels{name, what, in(part) && inGradient(), tiled, kTemporary};
  };
  Kernels main = kernels("gradient", "in the kernel of gradients", Part::Main);
  cutTerms(mutants, main, kCheckpoints);
  cutTerms(mutants, main, kPartialSums);
  cutTerms(mutants,
           kernels("states", "where states are kept", Part::Checkpoints),
           kCheckpoints);
  cutTerms(mutants,
           kernels("totals", "where totals are added up", Part::Totals),
           kPartialSums);
  main.name = "tiles";
  main.what = "where channels of a tile are added up";
  main.likely = "grad=1 lanes=16";
  cutTerms(mutants, main, {{"partial_sums2", 3}, {"partial_sums3", 3}});
}

/// Of gradients' kernels that share chunks.
static void cutChunkedGradients(std::vector<Mutant> &mutants) {
  auto kernels = [&](StringLiteral name, StringLiteral what, Part part,
                     StringLiteral reach) {
    return Kernels{name, what, in(part) && inGradient(), "grad=1 chunks=3",
                   reach};
  };
  Kernels carries =
      kernels("gradient-carries", "where gradients' segments are found",
              Part::Carries, kFarther);
  cutTerms(mutants, carries, kScanned);
  cutTerms(mutants, carries, {{"C", 4}, {"z", 3}});
  cutTerms(mutants, carries, ArrayRef(kGiven).drop_back());
  carries.reach = kFarChunks;
  cutTerms(mutants, carries, kChunks);
  cutTerms(mutants, carries, kOtherChunks);
  Kernels chunks = kernels("gradient-chunks", "where chunks are joined",
                           Part::Chunks, kFarChunks);
  cutTerms(mutants, chunks, ArrayRef(kChunks).front());
  cutTerms(mutants, chunks, ArrayRef(kOtherChunks).front());
  Kernels states =
      kernels("states", "where states are kept", Part::Checkpoints, kFarther);
  cutTerms(mutants, states, kScanned);
  states.reach = kFarChunks;
  cutTerms(mutants, states, kChunks);
  cutTerms(mutants,
           kernels("gradient", "where chunks start", Part::Main, kFarChunks),
           kOtherChunks);
}

std::vector<Mutant> mutation::offsetMutants() {
  std::vector<Mutant> mutants;
  cutForward(mutants);
  cutChunks(mutants);
  cutGradients(mutants);
  cutGradientTemporaries(mutants);
  cutChunkedGradients(mutants);
  return mutants;
}
