//===- GuardedResult.cpp - A result that shows who wrote where ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A byte that still is poison counts as not written: no kernel should give the
// NaN whose bits are all ones.
//
//===----------------------------------------------------------------------===//

#include "tools/problem/GuardedResult.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

using namespace mamba;

static constexpr int64_t kGuardBytes = 256;
static constexpr uint8_t kPoison = 0xFF;

Result<GuardedResult>
GuardedResult::create(const HostTensor &host,
                      const std::shared_ptr<Device> &device) {
  GuardedResult result;
  auto bytes = static_cast<int64_t>(host.bytes().size()) + 2 * kGuardBytes;
  MAMBA_ASSIGN_OR_RETURN(result.buffer_, DeviceBuffer::allocate(device, bytes));
  result.device_ = device;
  MAMBA_RETURN_IF_ERROR(device->memset(result.buffer_.data(), kPoison, bytes));
  // Poison is no value that a kernel may read.
  device->mark(result.buffer_.data(), bytes, MemoryContent::Guard);
  device->mark(static_cast<std::byte *>(result.buffer_.data()) + kGuardBytes,
               bytes - 2 * kGuardBytes, MemoryContent::Unwritten);
  result.view_ = host.view();
  result.view_.data = static_cast<std::byte *>(result.buffer_.data()) +
                      kGuardBytes + host.offset() * byteSize(host.dtype());
  return result;
}

static bool isPoison(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte b) { return b == std::byte(kPoison); });
}

/// Elements of `tensor` that no one wrote, and bytes between them that someone
/// did.
static std::pair<int64_t, int64_t> findTraces(HostTensor &tensor) {
  std::span<std::byte> memory = tensor.bytes();
  auto size = static_cast<size_t>(byteSize(tensor.dtype()));
  // Most results are dense, and large ones are slow to walk by index.
  bool isDense =
      tensor.view().numElements() == static_cast<int64_t>(memory.size() / size);
  std::vector<bool> isElement(memory.size() / size, isDense);
  if (!isDense)
    forEachIndex(tensor.shape(), [&](std::span<const int64_t> index) {
      isElement[tensor.offset() + offsetOf(tensor.view(), index)] = true;
    });
  int64_t unwritten = 0, stray = 0;
  for (size_t i = 0; i < isElement.size(); ++i) {
    bool isUntouched = isPoison(memory.subspan(i * size, size));
    unwritten += isElement[i] && isUntouched;
    stray += !isElement[i] && !isUntouched;
  }
  return {unwritten, stray};
}

Status GuardedResult::fetch(HostTensor &host, const std::string &name) const {
  std::vector<std::byte> memory(buffer_.bytes());
  MAMBA_RETURN_IF_ERROR(
      device_->copyOut(memory.data(), buffer_.data(), buffer_.bytes()));
  std::span<const std::byte> all(memory);
  std::memcpy(host.bytes().data(), memory.data() + kGuardBytes,
              host.bytes().size());
  if (!isPoison(all.first(kGuardBytes)) || !isPoison(all.last(kGuardBytes)))
    return Status(StatusCode::Internal,
                  fmt::format("the kernel wrote outside of result '{}' ({})",
                              name, view_.describe()));
  auto [unwritten, stray] = findTraces(host);
  if (stray)
    return Status(StatusCode::Internal,
                  fmt::format("the kernel wrote {} places between the elements "
                              "of result '{}' ({})",
                              stray, name, view_.describe()));
  if (unwritten)
    return Status(StatusCode::Internal,
                  fmt::format("the kernel did not write {} of the elements of "
                              "result '{}' ({})",
                              unwritten, name, view_.describe()));
  return Status();
}
