//===- FarTensor.cpp - A tensor with a stride past 32 bits ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements are copied one by one: there are some hundred of them.
//
//===----------------------------------------------------------------------===//

#include "test/e2e/numerics/FarTensor.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <utility>

using namespace mamba;
using namespace mamba::numerics;

FarTensor::~FarTensor() {
  if (mapping_)
    munmap(mapping_, mappedBytes_);
}

FarTensor &FarTensor::operator=(FarTensor &&other) noexcept {
  std::swap(device_, other.device_);
  std::swap(buffer_, other.buffer_);
  std::swap(mapping_, other.mapping_);
  std::swap(mappedBytes_, other.mappedBytes_);
  std::swap(view_, other.view_);
  return *this;
}

/// Address space without memory behind it, until it is written.
static void *reserve(size_t bytes) {
  void *mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapping == MAP_FAILED ? nullptr : mapping;
}

/// Calls `copy(host element, far element)` for each.
template <typename Copy>
static Status forEachElement(const TensorView &host, const TensorView &far,
                             const Copy &copy) {
  Status status;
  int64_t size = byteSize(host.dtype);
  forEachIndex({host.shape, static_cast<size_t>(host.rank)},
               [&](std::span<const int64_t> index) {
                 if (status.ok())
                   status = copy(static_cast<std::byte *>(host.data) +
                                     offsetOf(host, index) * size,
                                 static_cast<std::byte *>(far.data) +
                                     offsetOf(far, index) * size);
               });
  return status;
}

Result<FarTensor> FarTensor::copyOf(const HostTensor &host, int dim,
                                    int64_t reach,
                                    const std::shared_ptr<Device> &device) {
  FarTensor result;
  result.device_ = device;
  result.view_ = host.view();
  TensorView &view = result.view_;
  int64_t steps = std::max<int64_t>(view.shape[dim] - 1, 1);
  view.strides[dim] = (reach + steps - 1) / steps;
  int64_t last = 0;
  for (int i = 0; i < view.rank; ++i)
    last += (view.shape[i] - 1) * view.strides[i];
  int64_t bytes = (last + 1) * byteSize(view.dtype);
  if (device->name() != "cpu") {
    MAMBA_ASSIGN_OR_RETURN(result.buffer_,
                           DeviceBuffer::allocate(device, bytes));
    view.data = result.buffer_.data();
  } else {
    result.mappedBytes_ = static_cast<size_t>(bytes);
    view.data = result.mapping_ = reserve(result.mappedBytes_);
  }
  if (!view.data)
    return Status(StatusCode::OutOfMemory,
                  fmt::format("cannot reserve {} bytes of addresses", bytes));
  MAMBA_RETURN_IF_ERROR(
      forEachElement(host.view(), view, [&](void *near, void *far) {
        return device->copyIn(far, near, byteSize(view.dtype));
      }));
  return result;
}

Status FarTensor::copyTo(HostTensor &host) const {
  return forEachElement(host.view(), view_, [&](void *near, void *far) {
    return device_->copyOut(near, far, byteSize(view_.dtype));
  });
}

std::string numerics::tensorName(const Artifact &artifact, size_t i) {
  const std::string &name = artifact.tensors[i].name;
  auto before = std::count_if(
      artifact.tensors.begin(), artifact.tensors.begin() + std::ptrdiff_t(i),
      [&](const TensorSpec &other) { return other.name == name; });
  return before == 0 ? name : name + std::to_string(before);
}

/// The number of the temporary called `name`; that of tensors if there is none.
static size_t findTemporary(const Artifact &artifact, std::string_view name) {
  size_t number = artifact.numInputs + artifact.numResults;
  while (number < artifact.tensors.size() &&
         tensorName(artifact, number) != name)
    ++number;
  return number;
}

static Status stretch(Artifact &artifact, std::string_view name, size_t dim,
                      int64_t reach,
                      const std::function<int64_t(Axis)> &extentOf) {
  size_t number = findTemporary(artifact, name);
  auto extent = [&](const DimSpec &spec) {
    return spec.extentAt(extentOf(spec.axis));
  };
  if (number < artifact.tensors.size()) {
    std::vector<DimSpec> &dims = artifact.tensors[number].dims;
    if (dim + 1 < dims.size() && extent(dims[dim]) > 1) {
      int64_t steps = extent(dims[dim]) - 1, inner = 1;
      for (size_t i = dim + 2; i < dims.size(); ++i)
        inner *= extent(dims[i]);
      dims[dim + 1] = {Axis::Other, reach / (steps * inner) + 1};
      return Status();
    }
  }
  return Status(StatusCode::InvalidArgument,
                fmt::format("no tensor or temporary '{}' has two indices in "
                            "dimension {} and dimensions behind it",
                            name, dim));
}

Status
numerics::stretchTemporaries(Artifact &artifact, std::string_view names,
                             size_t dim, int64_t reach,
                             const std::function<int64_t(Axis)> &extentOf) {
  while (!names.empty()) {
    size_t end = std::min(names.find('+'), names.size());
    MAMBA_RETURN_IF_ERROR(
        stretch(artifact, names.substr(0, end), dim, reach, extentOf));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return Status();
}
