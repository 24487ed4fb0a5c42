//===- CudaDevice.h - An NVIDIA GPU --------------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each call makes the device's primary context current and puts the caller's
// back, so that several devices and other libraries live in one process.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_CUDA_CUDADEVICE_H
#define MAMBA_RUNTIME_CUDA_CUDADEVICE_H

#include "runtime/Device.h"
#include "runtime/cuda/Context.h"

#include <atomic>
#include <optional>
#include <string_view>

namespace mamba::cuda {

class CudaDevice final : public Device {
public:
  /// Device number `ordinal` of the driver.
  static Result<std::shared_ptr<CudaDevice>> open(int ordinal);

  const DeviceInfo &info() const override { return info_; }
  bool isCuda() const override { return true; }
  Result<std::shared_ptr<LoadedKernel>> load(const Artifact &artifact) override;
  Result<int64_t> bytesInUse() override;
  Result<void *> allocate(int64_t bytes) override;
  void free(void *pointer) override;
  Status copyIn(void *target, const void *hostSource, int64_t bytes,
                void *stream) override;
  Status copyOut(void *hostTarget, const void *source, int64_t bytes,
                 void *stream) override;
  Status memset(void *target, uint8_t value, int64_t bytes,
                void *stream) override;
  Result<void *> createStream() override;
  void destroyStream(void *stream) override;
  Status synchronize(void *stream) override;
  Status synchronize() override;
  Result<double> timeMillis(void *stream,
                            const std::function<Status()> &body) override;
  Result<std::unique_ptr<LaunchGraph>>
  record(void *stream, const std::function<Status()> &body) override;
  Result<bool> isCapturing(void *stream) override;
  Status checkPointer(const void *pointer) override;

private:
  explicit CudaDevice(std::shared_ptr<PrimaryContext> context)
      : context_(std::move(context)) {}
  Status readInfo();
  Status askPointer(const void *pointer) const;

  std::shared_ptr<PrimaryContext> context_;
  DeviceInfo info_;
  /// Pointers that passed checkPointer(), each in the slot of its hash, so that
  /// repeated launches don't ask the driver again.
  static constexpr size_t kKnownPointers = 1024;
  std::atomic<uintptr_t> knownPointers_[kKnownPointers] = {};
};

/// The ordinal in "cuda" (the same as "cuda:0") and "cuda:<N>".
std::optional<int> parseDeviceName(std::string_view name);

/// The ordinal of the CUDA device whose memory `pointer` is; -1 for memory that
/// the host can use (managed memory included), and while no device is open.
int ordinalOf(const void *pointer);

} // namespace mamba::cuda

#endif // MAMBA_RUNTIME_CUDA_CUDADEVICE_H
