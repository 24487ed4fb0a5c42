//===- SimtKernel.h - Kernels loaded on the simt device ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Spreads the blocks of a launch over the host's threads.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_SIMT_SIMTKERNEL_H
#define MAMBA_RUNTIME_SIMT_SIMTKERNEL_H

#include "runtime/Device.h"
#include "runtime/ObjectLoader.h"
#include "runtime/simt/BlockPool.h"

namespace mamba::simt {

class SimtKernel final : public LoadedKernel {
public:
  /// Unsupported if a launch asks for more threads or shared memory than there
  /// is, or if the object is of another build.
  static Result<std::shared_ptr<SimtKernel>>
  create(const Artifact &artifact, std::shared_ptr<LoadedObject> object,
         std::shared_ptr<Memory> memory, std::shared_ptr<BlockPool> blocks,
         const Options &options, int64_t sharedBytesPerBlock);

  /// Internal, with what was found and where, if a check fails.
  Status launch(size_t index, int64_t numBlocks, std::span<const int64_t> args,
                void *stream) override;
  EntryInfo entryInfo(size_t index) const override;

private:
  SimtKernel(const Artifact &artifact, std::shared_ptr<LoadedObject> object,
             std::shared_ptr<Memory> memory, std::shared_ptr<BlockPool> blocks,
             const Options &options);
  Status addEntry(const LaunchSpec &spec, int64_t sharedBytesPerBlock);
  void prepare(Launch &launch, const LaunchSpec &spec,
               std::span<const int64_t> args);
  Status runBlocks(Launch &launch);
  std::vector<ArgumentMemory> argumentMemory(const LaunchSpec &spec,
                                             std::span<const int64_t> args);
  std::string labelOf(size_t tensor) const;

  std::shared_ptr<LoadedObject> object_;
  std::shared_ptr<Memory> memory_;
  std::shared_ptr<BlockPool> blocks_;
  Options options_;
  uint32_t numInputs_;
  uint32_t numResults_;
  std::vector<std::string> tensorNames_;
  std::vector<LaunchSpec> specs_;
  std::vector<const KernelImage *> images_;
};

} // namespace mamba::simt

#endif // MAMBA_RUNTIME_SIMT_SIMTKERNEL_H
