//===- SimtDevice.cpp - A GPU, simulated on the host ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory and code; SimtKernel.cpp runs it.
//
//===----------------------------------------------------------------------===//

#include "runtime/simt/SimtDevice.h"

#include "runtime/simt/SimtKernel.h"

#include <fmt/format.h>

namespace mamba {

/// The GPU that is simulated, as artifacts name it.
static constexpr std::string_view kArchitecture = "simt-sm_90";

SimtDevice::SimtDevice(std::shared_ptr<simt::Memory> memory,
                       const simt::Options &options)
    : memory_(std::move(memory)), blocks_(std::make_shared<simt::BlockPool>()),
      options_(options) {
  info_.name = "simt";
  info_.architecture = kArchitecture;
  info_.target =
      loader_ ? fmt::format("{} {}", kArchitecture, loader_->target()) : "";
  info_.model = "simulated sm_90";
  info_.multiprocessors = 132;
  info_.warpSize = simt::kWarpSize;
  info_.maxThreadsPerBlock = simt::kMaxThreads;
  info_.maxBlocks = simt::kMaxRuns - 2;
  info_.maxThreadsPerMultiprocessor = 2048;
  info_.registersPerMultiprocessor = 65536;
  info_.sharedBytesPerBlock = 227 * 1024;
  info_.sharedBytesPerMultiprocessor = 228 * 1024;
  info_.memoryBytes = simt::Memory::kCapacity;
}

Result<std::shared_ptr<SimtDevice>>
SimtDevice::create(const simt::Options &options) {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<simt::Memory> memory,
                         simt::Memory::create());
  return std::shared_ptr<SimtDevice>(
      new SimtDevice(std::move(memory), options));
}

Result<std::shared_ptr<LoadedKernel>>
SimtDevice::load(const Artifact &artifact) {
  auto failure = [&](StatusCode code, std::string_view text) {
    return Status(code, fmt::format("loading kernel '{}' on simt: {}",
                                    artifact.name, text));
  };
  if (Status status = requireLoader(); !status.ok())
    return failure(status.code(), status.message());
  if (artifact.kind != ImageKind::Object || artifact.target != info_.target)
    return failure(StatusCode::Unsupported,
                   fmt::format("it was compiled for '{}', and this device is "
                               "'{}': compile it for {}",
                               artifact.target, info_.target, kArchitecture));
  Result<std::shared_ptr<LoadedObject>> object = loader_->load(artifact.image);
  if (!object.ok())
    return failure(object.code(), object.status().message());
  auto kernel =
      simt::SimtKernel::create(artifact, std::move(*object), memory_, blocks_,
                               options_, info_.sharedBytesPerBlock);
  if (!kernel.ok())
    return failure(kernel.code(), kernel.status().message());
  return std::shared_ptr<LoadedKernel>(std::move(*kernel));
}

Result<int64_t> SimtDevice::bytesInUse() {
  return static_cast<int64_t>(memory_->bytesInUse());
}

Result<void *> SimtDevice::allocate(int64_t bytes) {
  return memory_->allocate(static_cast<uint64_t>(bytes));
}

void SimtDevice::free(void *pointer) { memory_->free(pointer); }

void SimtDevice::mark(void *pointer, int64_t bytes, MemoryContent content) {
  auto address = reinterpret_cast<uint64_t>(pointer);
  if (bytes > 0 && memory_->contains(address))
    memory_->mark(address, static_cast<uint64_t>(bytes), content);
}

Status SimtDevice::checkPointer(const void *pointer) {
  if (memory_->find(reinterpret_cast<uint64_t>(pointer)))
    return Status();
  return Status(StatusCode::InvalidArgument,
                fmt::format("address {} is no memory of the simt device; "
                            "required is memory of its allocate(): copy the "
                            "tensor there, as for a GPU",
                            pointer));
}

} // namespace mamba
