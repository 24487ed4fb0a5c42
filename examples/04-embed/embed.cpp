//===- embed.cpp - A program with the compiler inside ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles a recurrence from a string, launches it on buffers that other code
// could own, and prints what comes out:
//
//     example-embed [cpu|cuda:0]
//
//===----------------------------------------------------------------------===//

#include "runtime/Buffer.h"
#include "runtime/jit/Jit.h"

#include <cmath>
#include <cstdio>
#include <vector>

/// A leaky counter a channel: h_t = a h_(t-1) + u_t.
static const char *const kModule = R"(
#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>

func.func @leaky(%u: tensor<?x?x?xf32>, %a: tensor<?xf32>)
    -> tensor<?x?x?xf32> {
  %decay = linalg.broadcast ins(%a : tensor<?xf32>)
      outs(%u : tensor<?x?x?xf32>) dimensions = [0, 1]
  %h, %last = ssm.scan %decay, %u : tensor<?x?x?xf32>
  return %h : tensor<?x?x?xf32>
}
)";

constexpr int64_t kBatch = 2, kLength = 8, kChannels = 4, kWidth = 6;

/// Copies `values` to the device.
static mamba::Result<mamba::DeviceBuffer>
upload(const std::shared_ptr<mamba::Device> &device,
       const std::vector<float> &values) {
  auto bytes = static_cast<int64_t>(values.size() * sizeof(float));
  MAMBA_ASSIGN_OR_RETURN(mamba::DeviceBuffer buffer,
                         mamba::DeviceBuffer::allocate(device, bytes));
  MAMBA_RETURN_IF_ERROR(device->copyIn(buffer.data(), values.data(), bytes));
  return buffer;
}

static mamba::Status run(const char *deviceName) {
  // The compiler first: it is what lets the CPU device run compiled code.
  MAMBA_ASSIGN_OR_RETURN(mamba::Module module,
                         mamba::Module::parse(kModule, "leaky.mlir"));
  MAMBA_ASSIGN_OR_RETURN(mamba::Function leaky, module.function("leaky"));
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<mamba::Device> device,
                         mamba::Device::open(deviceName));

  // u is the first 4 of the 6 columns of a wider matrix, h lies channel by
  // channel. Strides say so; nothing is copied or transposed.
  std::vector<float> parent(kBatch * kLength * kWidth, 1.0f);
  std::vector<float> decays = {0.0f, 0.5f, 0.9f, 1.0f};
  std::vector<float> states(kBatch * kChannels * kLength);
  MAMBA_ASSIGN_OR_RETURN(mamba::DeviceBuffer u, upload(device, parent));
  MAMBA_ASSIGN_OR_RETURN(mamba::DeviceBuffer a, upload(device, decays));
  MAMBA_ASSIGN_OR_RETURN(mamba::DeviceBuffer h, upload(device, states));
  const int64_t shape[] = {kBatch, kLength, kChannels};
  const int64_t wide[] = {kLength * kWidth, kWidth, 1};
  const int64_t byChannel[] = {kChannels * kLength, 1, kLength};
  const std::vector<mamba::TensorView> tensors = {
      mamba::TensorView(u.data(), mamba::DType::F32, shape, wide),
      mamba::TensorView::contiguous(a.data(), mamba::DType::F32, {kChannels}),
      mamba::TensorView(h.data(), mamba::DType::F32, shape, byChannel)};

  MAMBA_RETURN_IF_ERROR(leaky.launch(device, tensors));
  MAMBA_RETURN_IF_ERROR(device->synchronize());
  MAMBA_RETURN_IF_ERROR(device->copyOut(states.data(), h.data(), h.bytes()));

  std::printf("h_t = a h_(t-1) + 1 on %s (%s)\n", device->name().c_str(),
              device->info().model.c_str());
  for (int64_t d = 0; d < kChannels; ++d) {
    std::printf("  a = %.1f: ", decays[d]);
    float expected = 0;
    for (int64_t t = 0; t < kLength; ++t) {
      float found = states[d * kLength + t];
      expected = decays[d] * expected + 1;
      std::printf(" %.4f", found);
      if (!(std::abs(found - expected) < 1e-4f))
        return mamba::Status(mamba::StatusCode::Internal,
                             "a state is not what the recurrence says");
    }
    std::printf("\n");
  }
  return mamba::Status::success();
}

int main(int argc, char **argv) {
  mamba::Status status = run(argc > 1 ? argv[1] : "cpu");
  if (status.ok())
    return 0;
  std::fprintf(stderr, "error: %s\n", status.message().c_str());
  return 1;
}
