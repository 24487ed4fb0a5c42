//===- Training.cpp - A function and its gradients ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Training.h"

#include "runtime/DType.h"

using namespace mamba;

std::span<const TensorSpec> TrainingPair::saved() const {
  return std::span(forward.info().tensors).last(numSaved);
}

/// Of what `saved` describes, with `segments` of them in a sequence.
static int64_t bytesOf(std::span<const TensorSpec> saved, int64_t batch,
                       int64_t segments, int64_t channels) {
  int64_t bytes = 0;
  for (const TensorSpec &spec : saved) {
    int64_t size = byteSize(spec.dtype);
    for (const DimSpec &dim : spec.dims)
      if (dim.axis == Axis::Length)
        size *= segments;
      else
        size *= dim.extentAt(dim.axis == Axis::Batch ? batch : channels);
    bytes += size;
  }
  return bytes;
}

static int64_t segmentsIn(int64_t length, int64_t every) {
  return (length + every - 1) / every;
}

int64_t TrainingPair::savedBytes(int64_t batch, int64_t length,
                                 int64_t channels) const {
  return numSaved == 0
             ? 0
             : bytesOf(saved(), batch, segmentsIn(length, saveEvery), channels);
}

Result<TrainingPair> mamba::makeTrainingPair(const Module &module,
                                             std::string_view function,
                                             int64_t saveEvery) {
  if (saveEvery < 0)
    return Status(StatusCode::InvalidArgument,
                  "states can't be saved every " + std::to_string(saveEvery) +
                      " steps; required is a positive number, or 0 for none");
  MAMBA_ASSIGN_OR_RETURN(Module both,
                         module.differentiate(function, saveEvery));
  const std::vector<std::string> &names = both.functionNames();
  MAMBA_ASSIGN_OR_RETURN(Function forward, both.function(names.front()));
  MAMBA_ASSIGN_OR_RETURN(Function backward, both.function(names.back()));
  uint32_t numSaved = 0;
  if (saveEvery > 0) {
    // What it saves comes behind its own results.
    MAMBA_ASSIGN_OR_RETURN(Function plain, module.function(function));
    numSaved = forward.info().numResults - plain.info().numResults;
  }
  return TrainingPair{std::move(forward), std::move(backward),
                      numSaved ? saveEvery : 0, numSaved};
}

Result<int64_t> mamba::savingWithin(const Module &module,
                                    std::string_view function, int64_t bytes,
                                    int64_t batch, int64_t length,
                                    int64_t channels) {
  MAMBA_ASSIGN_OR_RETURN(TrainingPair pair, makeTrainingPair(module, function));
  if (pair.numSaved == 0)
    return 0;
  for (int64_t every = kFinestSaving; every < length; every *= 2)
    if (bytesOf(pair.saved(), batch, segmentsIn(length, every), channels) <=
        bytes)
      return every;
  return 0;
}
