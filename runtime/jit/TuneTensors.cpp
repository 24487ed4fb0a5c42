//===- TuneTensors.cpp - Copies of tensors to tune on ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/TuneTensors.h"

#include "runtime/LaunchTimer.h"

#include <fmt/format.h>

using namespace mamba;

/// Loads are at most this wide: kernels ask for no larger alignment.
static constexpr uintptr_t kWidestAccess = 16;

/// A host tensor with the shape, strides and alignment of `view`.
static Result<HostTensor> shapeLike(const TensorView &view,
                                    const TensorSpec &spec) {
  auto rank = static_cast<size_t>(view.rank);
  for (size_t dim = 0; dim < rank; ++dim)
    if (view.strides[dim] < 0)
      return Status(StatusCode::InvalidArgument,
                    fmt::format("tensor '{}' ({}) runs backwards, required to "
                                "tune are strides of 0 or more",
                                spec.name, view.describe()));
  auto misaligned = reinterpret_cast<uintptr_t>(view.data) % kWidestAccess;
  return HostTensor::create(
      view.dtype, {view.shape, rank}, {view.strides, rank},
      static_cast<int64_t>(misaligned) / byteSize(view.dtype));
}

Result<TuneTensors> TuneTensors::copyOf(const FunctionInfo &info,
                                        const std::shared_ptr<Device> &device,
                                        std::span<const TensorView> tensors) {
  TuneTensors result;
  result.device_ = device;
  int64_t bytes = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    MAMBA_ASSIGN_OR_RETURN(HostTensor host,
                           shapeLike(tensors[i], info.tensors[i]));
    bool isInput = i < info.numInputs;
    std::span<std::byte> memory = host.bytes();
    bytes += static_cast<int64_t>(memory.size());
    auto before = static_cast<size_t>(host.offset() * byteSize(host.dtype()));
    if (!isInput)
      host.fillNaN();
    else if (!tensors[i].empty())
      MAMBA_RETURN_IF_ERROR(
          device->copyOut(memory.data() + before, tensors[i].data,
                          static_cast<int64_t>(memory.size() - before)));
    (isInput ? result.inputs_ : result.results_).push_back(std::move(host));
  }
  int64_t sets = LaunchTimer::setsFor(device->info(), bytes);
  for (int64_t i = 0; i < sets; ++i)
    MAMBA_RETURN_IF_ERROR(result.addSet());
  return result;
}

Status TuneTensors::addSet() {
  std::vector<DeviceTensor> set;
  std::vector<TensorView> views;
  for (const std::vector<HostTensor> *side : {&inputs_, &results_})
    for (const HostTensor &host : *side) {
      MAMBA_ASSIGN_OR_RETURN(DeviceTensor copy,
                             DeviceTensor::copyOf(host, device_));
      views.push_back(copy.view());
      set.push_back(std::move(copy));
    }
  sets_.push_back(std::move(set));
  views_.push_back(std::move(views));
  return Status();
}

std::vector<TensorView> TuneTensors::hostInputs() const {
  return viewsOf(inputs_);
}

std::vector<TensorView> TuneTensors::hostResults() const {
  return viewsOf(results_);
}

Status TuneTensors::poison() {
  for (size_t i = 0; i < results_.size(); ++i) {
    const HostTensor &host = results_[i];
    auto bytes = static_cast<int64_t>(host.bytes().size());
    if (bytes == 0)
      continue;
    auto *data = static_cast<std::byte *>(views_[0][numInputs() + i].data) -
                 host.offset() * byteSize(host.dtype());
    MAMBA_RETURN_IF_ERROR(device_->memset(data, 0xFF, bytes));
  }
  return Status();
}

Status TuneTensors::fetch() {
  for (size_t i = 0; i < results_.size(); ++i)
    MAMBA_RETURN_IF_ERROR(sets_[0][numInputs() + i].copyTo(results_[i]));
  return Status();
}
