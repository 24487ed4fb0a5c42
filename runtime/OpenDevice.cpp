//===- OpenDevice.cpp - Names to devices ----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// It knows every kind of device, and so is a file of its own: a program that
// opens GPUs only links no other.
//
//===----------------------------------------------------------------------===//

#include "runtime/CpuDevice.h"
#include "runtime/DeviceTable.h"
#include "runtime/Environment.h"
#include "runtime/cuda/CudaDevice.h"
#include "runtime/simt/SimtDevice.h"

#include <fmt/format.h>
#include <optional>

namespace mamba {

namespace {

constexpr int kCpu = -1, kSimt = -2;

/// kCpu, kSimt, or the ordinal of a CUDA device.
std::optional<int> parseName(std::string_view name) {
  if (name == "cpu")
    return kCpu;
  if (name == "simt")
    return kSimt;
  return cuda::parseDeviceName(name);
}

Result<std::shared_ptr<Device>> create(int ordinal) {
  if (ordinal == kCpu)
    return std::shared_ptr<Device>(std::make_shared<CpuDevice>());
  if (ordinal == kSimt) {
    MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> simt,
                           SimtDevice::create(Environment::get().simt));
    return simt;
  }
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                         cuda::CudaDevice::open(ordinal));
  return device;
}

} // namespace

Result<std::shared_ptr<Device>> Device::open(std::string_view name) {
  std::optional<int> ordinal = parseName(name);
  if (!ordinal)
    return Status(StatusCode::InvalidArgument,
                  fmt::format("there is no device '{}'; a device is called "
                              "cpu, simt, cuda or cuda:<number>",
                              name));
  Result<std::shared_ptr<Device>> device =
      DeviceTable::get().open(*ordinal, [&] { return create(*ordinal); });
  if (!device.ok())
    return device.status().withContext(fmt::format("opening '{}'", name));
  return device;
}

std::string Device::nameOf(const void *pointer) {
  if (simt::isSimtMemory(pointer))
    return "simt";
  int ordinal = cuda::ordinalOf(pointer);
  return ordinal < 0 ? "cpu" : fmt::format("cuda:{}", ordinal);
}

bool Device::hasCuda() { return open("cuda:0").ok(); }

} // namespace mamba
