//===- Loader.cpp - Exported kernels, from C ------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// C's words for Bundle.h and Device.h: no decision is made here.
//
//===----------------------------------------------------------------------===//

#include "runtime/loader/mamba_loader.h"

#include "runtime/DeviceTable.h"
#include "runtime/Validate.h"
#include "runtime/bundle/Bundle.h"
#include "runtime/cuda/CudaDevice.h"

#include <fmt/format.h>
#include <new>

using namespace mamba;

struct mamba_device {
  std::shared_ptr<Device> device;
};
struct mamba_bundle {
  Bundle bundle;
};

static_assert(MAMBA_INTERNAL == static_cast<int>(StatusCode::Internal) &&
              MAMBA_CORRUPT_DATA == static_cast<int>(StatusCode::CorruptData));
static_assert(MAMBA_C128 == static_cast<int>(DType::C128) &&
              MAMBA_BF16 == static_cast<int>(DType::BF16));
static_assert(MAMBA_MAX_RANK == kMaxRank);

/// Of this thread; a literal where there may be no memory for words.
struct LastError {
  std::string text;
  const char *literal = nullptr;
};

static LastError &lastError() {
  thread_local LastError error;
  return error;
}

static mamba_status finish(const Status &status) {
  if (!status.ok())
    lastError() = {status.message(), nullptr};
  return static_cast<mamba_status>(status.code());
}

static mamba_status fail(mamba_status status, const char *literal) {
  lastError().literal = literal;
  return status;
}

static Status invalid(std::string text) {
  return Status(StatusCode::InvalidArgument, std::move(text));
}

/// Runs `body`: no exception gets into C.
template <typename Body> static mamba_status guarded(Body &&body) noexcept {
  try {
    return finish(body());
  } catch (const std::bad_alloc &) {
    return fail(MAMBA_OUT_OF_MEMORY, "host memory ran out");
  } catch (...) {
    return fail(MAMBA_INTERNAL, "the C++ library threw an exception");
  }
}

/// As above, for calls on a device.
template <typename Body>
static mamba_status onDevice(mamba_device *device, Body &&body) noexcept {
  return guarded([&]() -> Status {
    if (!device)
      return invalid("the device is null");
    return body(*device->device);
  });
}

static Result<TensorView> viewOf(const mamba_tensor &tensor, size_t index) {
  if (tensor.rank < 0 || tensor.rank > MAMBA_MAX_RANK)
    return invalid(fmt::format("tensor {} has rank {}, required is 0 to {}",
                               index, tensor.rank, MAMBA_MAX_RANK));
  if (tensor.dtype < MAMBA_F64 || tensor.dtype > MAMBA_C128)
    return invalid(fmt::format("tensor {} has the element type {}, required is "
                               "a mamba_dtype",
                               index, tensor.dtype));
  auto rank = static_cast<size_t>(tensor.rank);
  return TensorView(tensor.data, static_cast<DType>(tensor.dtype),
                    std::span(tensor.shape, rank),
                    std::span(tensor.strides, rank));
}

/// Calls `member` of the function with the tensors.
static Status call(mamba_bundle *bundle, mamba_device *device, int32_t function,
                   const mamba_tensor *tensors, size_t count, void *stream,
                   decltype(&BundledFunction::launch) member) {
  if (!bundle || !device || (!tensors && count))
    return invalid("bundle, device or tensors are null");
  size_t functions = bundle->bundle.manifest().functions.size();
  if (function < 0 || static_cast<size_t>(function) >= functions)
    return invalid(fmt::format("there is no function {}: the bundle has {}",
                               function, functions));
  TensorView views[kMaxTensors];
  if (count > kMaxTensors)
    return invalid(
        fmt::format("{} tensors are more than any function takes", count));
  for (size_t i = 0; i < count; ++i) {
    MAMBA_ASSIGN_OR_RETURN(views[i], viewOf(tensors[i], i));
  }
  BundledFunction called = bundle->bundle.function(size_t(function));
  return (called.*member)(device->device, std::span(views, count), stream);
}

const char *mamba_error(void) {
  const LastError &error = lastError();
  return error.literal ? error.literal : error.text.c_str();
}

mamba_status mamba_check_abi(int32_t abi) {
  return guarded([&] {
    return abi == MAMBA_LOADER_ABI
               ? Status()
               : Status(StatusCode::Unsupported,
                        fmt::format("the program was built for version {} of "
                                    "libmamba_loader's interface, and this "
                                    "library has {}",
                                    abi, MAMBA_LOADER_ABI));
  });
}

mamba_status mamba_device_open(const char *name, mamba_device **device) {
  return guarded([&]() -> Status {
    if (!name || !device)
      return invalid("name or device is null");
    *device = nullptr;
    std::optional<int> ordinal = cuda::parseDeviceName(name);
    if (!ordinal)
      return invalid(fmt::format("there is no device '{}' here; a device is "
                                 "called cuda or cuda:<number>",
                                 name));
    MAMBA_ASSIGN_OR_RETURN(
        std::shared_ptr<Device> opened,
        DeviceTable::get().open(
            *ordinal, [&]() -> Result<std::shared_ptr<Device>> {
              MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> fresh,
                                     cuda::CudaDevice::open(*ordinal));
              return fresh;
            }));
    *device = new mamba_device{std::move(opened)};
    return Status();
  });
}

void mamba_device_close(mamba_device *device) { delete device; }

const char *mamba_device_name(const mamba_device *device) {
  return device ? device->device->name().c_str() : "";
}

const char *mamba_device_architecture(const mamba_device *device) {
  return device ? device->device->info().architecture.c_str() : "";
}

mamba_status mamba_bundle_open(const char *folder, const char *checksum,
                               mamba_bundle **bundle) {
  return guarded([&]() -> Status {
    if (!folder || !bundle)
      return invalid("folder or bundle is null");
    *bundle = nullptr;
    MAMBA_ASSIGN_OR_RETURN(Bundle opened,
                           Bundle::open(folder, checksum ? checksum : ""));
    *bundle = new mamba_bundle{std::move(opened)};
    return Status();
  });
}

void mamba_bundle_close(mamba_bundle *bundle) { delete bundle; }

int32_t mamba_bundle_find(const mamba_bundle *bundle, const char *name) {
  if (!bundle || !name)
    return -1;
  const std::vector<BundleFunction> &functions =
      bundle->bundle.manifest().functions;
  for (size_t i = 0; i < functions.size(); ++i)
    if (functions[i].name == name)
      return static_cast<int32_t>(i);
  return -1;
}

mamba_status mamba_launch(mamba_bundle *bundle, mamba_device *device,
                          int32_t function, const mamba_tensor *tensors,
                          size_t count, void *stream) {
  return guarded([&] {
    return call(bundle, device, function, tensors, count, stream,
                &BundledFunction::launch);
  });
}

mamba_status mamba_prepare(mamba_bundle *bundle, mamba_device *device,
                           int32_t function, const mamba_tensor *tensors,
                           size_t count, void *stream) {
  return guarded([&] {
    return call(bundle, device, function, tensors, count, stream,
                &BundledFunction::prepare);
  });
}

mamba_status mamba_allocate(mamba_device *device, int64_t bytes,
                            void **memory) {
  return onDevice(device, [&](Device &opened) -> Status {
    if (!memory || bytes <= 0)
      return invalid("memory is null, or the number of bytes is not positive");
    *memory = nullptr;
    MAMBA_ASSIGN_OR_RETURN(*memory, opened.allocate(bytes));
    return Status();
  });
}

void mamba_free(mamba_device *device, void *memory) {
  if (device)
    device->device->free(memory);
}

/// Launches may be on streams that the copy's does not wait for.
static Status checkCopy(Device &device, const void *target, const void *source,
                        int64_t bytes) {
  if (bytes < 0 || ((!target || !source) && bytes > 0))
    return invalid("target or source is null, or the number of bytes is "
                   "negative");
  return device.synchronize();
}

mamba_status mamba_copy_in(mamba_device *device, void *target,
                           const void *host_source, int64_t bytes) {
  return onDevice(device, [&](Device &opened) -> Status {
    MAMBA_RETURN_IF_ERROR(checkCopy(opened, target, host_source, bytes));
    return opened.copyIn(target, host_source, bytes);
  });
}

mamba_status mamba_copy_out(mamba_device *device, void *host_target,
                            const void *source, int64_t bytes) {
  return onDevice(device, [&](Device &opened) -> Status {
    MAMBA_RETURN_IF_ERROR(checkCopy(opened, host_target, source, bytes));
    return opened.copyOut(host_target, source, bytes);
  });
}

mamba_status mamba_synchronize(mamba_device *device) {
  return onDevice(device, [](Device &opened) { return opened.synchronize(); });
}
