//===- Module.h - An artifact's code on one GPU --------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loading turns PTX into machine code and checks at once what a launch would be
// refused for: block size, registers, shared memory, number of arguments.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_MODULE_H
#define MAMBA_RUNTIME_CUDA_MODULE_H

#include "runtime/Device.h"
#include "runtime/cuda/Context.h"

#include <vector>

namespace mamba::cuda {

class Module final : public LoadedKernel {
public:
  /// Loads `artifact` (PTX or cubin) for the device `info` of `context`.
  static Result<std::shared_ptr<Module>>
  load(const Artifact &artifact, std::shared_ptr<PrimaryContext> context,
       const DeviceInfo &info);
  ~Module() override;

  Status launch(size_t index, int64_t numBlocks, std::span<const int64_t> args,
                void *stream) override;
  EntryInfo entryInfo(size_t index) const override;

private:
  struct Entry {
    std::string name;
    CUfunction function = nullptr;
    uint32_t blockSize = 1;
    uint32_t sharedBytes = 0;
    EntryInfo info;
  };

  Module(std::shared_ptr<PrimaryContext> context, std::string deviceText)
      : context_(std::move(context)), deviceText_(std::move(deviceText)) {}

  Status loadImage(const Artifact &artifact, const DeviceInfo &info);
  Status loadEntry(const LaunchSpec &launch, const DeviceInfo &info);
  Status readInfo(Entry &entry) const;
  Status checkArguments(const Entry &entry, size_t count) const;
  Status raiseSharedLimit(const Entry &entry, const DeviceInfo &info) const;
  Status launchFailure(const Entry &entry, int64_t numBlocks,
                       Status error) const;

  std::shared_ptr<PrimaryContext> context_;
  /// "cuda:0 (NVIDIA H100, sm_90)", for messages.
  std::string deviceText_;
  CUmodule module_ = nullptr;
  std::vector<Entry> entries_;
};

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_MODULE_H
