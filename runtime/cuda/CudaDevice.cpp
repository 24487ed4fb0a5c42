//===- CudaDevice.cpp - An NVIDIA GPU -------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function is one or two driver calls within a context.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/CudaDevice.h"

#include "runtime/cuda/Compatibility.h"
#include "runtime/cuda/Graph.h"
#include "runtime/cuda/Module.h"
#include "runtime/cuda/Nvrtc.h"

#include <charconv>
#include <fmt/format.h>

namespace mamba::cuda {

namespace {

CUdeviceptr address(const void *pointer) {
  return reinterpret_cast<CUdeviceptr>(pointer);
}

CUstream asStream(void *stream) { return static_cast<CUstream>(stream); }

/// What the driver knows of a pointer; type CU_MEMORYTYPE_UNKNOWN if nothing.
struct PointerFacts {
  CUmemorytype type = CU_MEMORYTYPE_UNKNOWN;
  unsigned managed = 0;
  int ordinal = -1;
};

Status readFacts(const Driver &driver, const void *pointer,
                 PointerFacts &facts) {
  CUpointer_attribute attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                      CU_POINTER_ATTRIBUTE_IS_MANAGED,
                                      CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
  void *values[] = {&facts.type, &facts.managed, &facts.ordinal};
  return MAMBA_CUDA_CALL(driver, cuPointerGetAttributes, 3, attributes, values,
                         address(pointer));
}

size_t slotOf(const void *pointer, size_t slots) {
  // Allocations are aligned to 256 bytes or more; the low bits tell little.
  uint64_t bits = address(pointer) >> 4;
  return (bits * 0x9E3779B97F4A7C15u >> 40) % slots;
}

/// A start and an end event.
class EventPair {
public:
  explicit EventPair(const Driver &driver) : driver_(driver) {}
  ~EventPair() {
    for (CUevent event : events)
      if (event)
        (void)driver_.cuEventDestroy_v2(event);
  }
  EventPair(const EventPair &) = delete;

  Status create() {
    MAMBA_RETURN_IF_ERROR(
        MAMBA_CUDA_CALL(driver_, cuEventCreate, &events[0], 0));
    return MAMBA_CUDA_CALL(driver_, cuEventCreate, &events[1], 0);
  }

  CUevent events[2] = {};

private:
  const Driver &driver_;
};

} // namespace

Result<std::shared_ptr<CudaDevice>> CudaDevice::open(int ordinal) {
  MAMBA_ASSIGN_OR_RETURN(const Driver *driver, Driver::get());
  int count = 0;
  MAMBA_RETURN_IF_ERROR(MAMBA_CUDA_CALL(*driver, cuDeviceGetCount, &count));
  if (ordinal >= count)
    return Status(StatusCode::NotFound,
                  fmt::format("there is no cuda:{}: the driver shows {} "
                              "devices (CUDA_VISIBLE_DEVICES may hide some)",
                              ordinal, count));
  MAMBA_ASSIGN_OR_RETURN(auto context,
                         PrimaryContext::retain(*driver, ordinal));
  std::shared_ptr<CudaDevice> device(new CudaDevice(std::move(context)));
  MAMBA_RETURN_IF_ERROR(device->readInfo());
  return device;
}

Status CudaDevice::readInfo() {
  const Driver &driver = context_->driver();
  CUdevice device = context_->device();
  Status status;
  auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    if (status.ok())
      status =
          MAMBA_CUDA_CALL(driver, cuDeviceGetAttribute, &value, which, device);
    return value;
  };
  info_.name = fmt::format("cuda:{}", context_->ordinal());
  info_.target = fmt::format(
      "sm_{}{}", attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
      attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
  info_.architecture = info_.target;
  info_.multiprocessors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  info_.warpSize = attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE);
  info_.maxThreadsPerBlock =
      attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  info_.maxBlocks = attribute(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X);
  info_.maxThreadsPerMultiprocessor =
      attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
  info_.registersPerMultiprocessor =
      attribute(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
  info_.sharedBytesPerBlock =
      attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  info_.sharedBytesPerMultiprocessor =
      attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
  info_.l2Bytes = attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
  MAMBA_RETURN_IF_ERROR(std::move(status));
  char model[256] = {};
  MAMBA_RETURN_IF_ERROR(MAMBA_CUDA_CALL(driver, cuDeviceGetName, model,
                                        int(sizeof(model) - 1), device));
  info_.model = model;
  size_t memoryBytes = 0;
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuDeviceTotalMem_v2, &memoryBytes, device));
  info_.memoryBytes = static_cast<int64_t>(memoryBytes);
  info_.driverVersion = driver.version();
  info_.maxPtxVersion = maxPtxVersion(driver.version());
  return Status();
}

Result<std::shared_ptr<LoadedKernel>>
CudaDevice::load(const Artifact &artifact) {
  if (artifact.kind == ImageKind::Cuda) {
    // Its code is for a target as that of PTX is: newer GPUs will do.
    MAMBA_RETURN_IF_ERROR(
        checkTarget(ImageKind::Ptx, artifact.target, info_.target)
            .withContext(fmt::format("loading kernel '{}'", artifact.name)));
    MAMBA_ASSIGN_OR_RETURN(Artifact code,
                           compileSource(artifact, info_.target));
    return load(code);
  }
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<LoadedKernel> kernel,
                         Module::load(artifact, context_, info_));
  return kernel;
}

Result<int64_t> CudaDevice::bytesInUse() {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  size_t free = 0, total = 0;
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(context_->driver(), cuMemGetInfo_v2, &free, &total)
          .withContext(name()));
  return static_cast<int64_t>(total - free);
}

Result<void *> CudaDevice::allocate(int64_t bytes) {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  CUdeviceptr result = 0;
  Status status = MAMBA_CUDA_CALL(context_->driver(), cuMemAlloc_v2, &result,
                                  static_cast<size_t>(bytes));
  // Words are for errors only: where the host has no memory for them, what the
  // device gave would be lost.
  if (!status.ok())
    return std::move(status).withContext(
        fmt::format("allocating {} bytes on {}", bytes, name()));
  return reinterpret_cast<void *>(result);
}

void CudaDevice::free(void *pointer) {
  if (!pointer)
    return;
  for (std::atomic<uintptr_t> &known : knownPointers_)
    known.store(0, std::memory_order_relaxed);
  ScopedContext scope(*context_);
  if (scope.status().ok())
    (void)context_->driver().cuMemFree_v2(address(pointer));
}

Status CudaDevice::copyIn(void *target, const void *hostSource, int64_t bytes,
                          void *stream) {
  if (bytes == 0)
    return Status();
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  const Driver &driver = context_->driver();
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuMemcpyHtoDAsync_v2, address(target), hostSource,
                      static_cast<size_t>(bytes), asStream(stream)));
  return MAMBA_CUDA_CALL(driver, cuStreamSynchronize, asStream(stream));
}

Status CudaDevice::copyOut(void *hostTarget, const void *source, int64_t bytes,
                           void *stream) {
  if (bytes == 0)
    return Status();
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  const Driver &driver = context_->driver();
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuMemcpyDtoHAsync_v2, hostTarget, address(source),
                      static_cast<size_t>(bytes), asStream(stream)));
  return MAMBA_CUDA_CALL(driver, cuStreamSynchronize, asStream(stream));
}

Status CudaDevice::memset(void *target, uint8_t value, int64_t bytes,
                          void *stream) {
  if (bytes == 0)
    return Status();
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  return MAMBA_CUDA_CALL(context_->driver(), cuMemsetD8Async, address(target),
                         value, static_cast<size_t>(bytes), asStream(stream));
}

Result<void *> CudaDevice::createStream() {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  CUstream stream = nullptr;
  MAMBA_RETURN_IF_ERROR(MAMBA_CUDA_CALL(context_->driver(), cuStreamCreate,
                                        &stream, CU_STREAM_NON_BLOCKING));
  return static_cast<void *>(stream);
}

void CudaDevice::destroyStream(void *stream) {
  if (!stream)
    return;
  ScopedContext scope(*context_);
  if (!scope.status().ok())
    return;
  (void)context_->driver().cuStreamSynchronize(asStream(stream));
  (void)context_->driver().cuStreamDestroy_v2(asStream(stream));
}

Status CudaDevice::synchronize(void *stream) {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  return MAMBA_CUDA_CALL(context_->driver(), cuStreamSynchronize,
                         asStream(stream))
      .withContext(name());
}

Status CudaDevice::synchronize() {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  return MAMBA_CUDA_CALL(context_->driver(), cuCtxSynchronize)
      .withContext(name());
}

Result<double> CudaDevice::timeMillis(void *stream,
                                      const std::function<Status()> &body) {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  const Driver &driver = context_->driver();
  EventPair pair(driver);
  MAMBA_RETURN_IF_ERROR(pair.create());
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuEventRecord, pair.events[0], asStream(stream)));
  MAMBA_RETURN_IF_ERROR(body());
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuEventRecord, pair.events[1], asStream(stream)));
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuEventSynchronize, pair.events[1]));
  float milliseconds = 0;
  MAMBA_RETURN_IF_ERROR(MAMBA_CUDA_CALL(driver, cuEventElapsedTime,
                                        &milliseconds, pair.events[0],
                                        pair.events[1]));
  return static_cast<double>(milliseconds);
}

Result<std::unique_ptr<LaunchGraph>>
CudaDevice::record(void *stream, const std::function<Status()> &body) {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  return captureGraph(context_, asStream(stream), body);
}

Result<bool> CudaDevice::isCapturing(void *stream) {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  const Driver &driver = context_->driver();
  CUstreamCaptureStatus capture = CU_STREAM_CAPTURE_STATUS_NONE;
  CUresult result = driver.cuStreamIsCapturing(asStream(stream), &capture);
  // Asked for the default stream while another one is captured.
  if (result == CUDA_ERROR_STREAM_CAPTURE_IMPLICIT)
    return true;
  MAMBA_RETURN_IF_ERROR(driver.check(result, "cuStreamIsCapturing"));
  return capture != CU_STREAM_CAPTURE_STATUS_NONE;
}

Status CudaDevice::checkPointer(const void *pointer) {
  auto bits = reinterpret_cast<uintptr_t>(pointer);
  std::atomic<uintptr_t> &known =
      knownPointers_[slotOf(pointer, kKnownPointers)];
  if (bits && known.load(std::memory_order_relaxed) == bits)
    return Status();
  MAMBA_RETURN_IF_ERROR(askPointer(pointer));
  known.store(bits, std::memory_order_relaxed);
  return Status();
}

Status CudaDevice::askPointer(const void *pointer) const {
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  PointerFacts facts;
  MAMBA_RETURN_IF_ERROR(readFacts(context_->driver(), pointer, facts));
  if (facts.managed || (facts.type == CU_MEMORYTYPE_DEVICE &&
                        facts.ordinal == context_->ordinal()))
    return Status();
  std::string found = "host or freed memory";
  if (facts.type == CU_MEMORYTYPE_HOST)
    found = "pinned host memory";
  else if (facts.type == CU_MEMORYTYPE_DEVICE)
    found = fmt::format("memory of cuda:{}", facts.ordinal);
  return Status(StatusCode::InvalidArgument,
                fmt::format("address {} is {}; required is memory of {}: copy "
                            "the tensor there",
                            pointer, found, name()));
}

std::optional<int> parseDeviceName(std::string_view name) {
  if (name == "cuda")
    return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix))
    return std::nullopt;
  int ordinal = 0;
  const char *end = name.data() + name.size();
  auto [rest, error] =
      std::from_chars(name.data() + kPrefix.size(), end, ordinal);
  if (error != std::errc() || rest != end || ordinal < 0)
    return std::nullopt;
  return ordinal;
}

int ordinalOf(const void *pointer) {
  // The query answers for all devices, but some context must be current.
  std::shared_ptr<PrimaryContext> context = PrimaryContext::latest();
  if (!context || !pointer)
    return -1;
  ScopedContext scope(*context);
  PointerFacts facts;
  if (!scope.status().ok() ||
      !readFacts(context->driver(), pointer, facts).ok())
    return -1;
  bool deviceOnly = facts.type == CU_MEMORYTYPE_DEVICE && !facts.managed;
  return deviceOnly ? facts.ordinal : -1;
}

} // namespace mamba::cuda
