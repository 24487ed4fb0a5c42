//===- CudaTesting.h - A kernel on the fake driver -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the tests of the driver's use begin with.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_RUNTIME_CUDATESTING_H
#define MAMBA_TEST_UNIT_RUNTIME_CUDATESTING_H

#include "runtime/Buffer.h"
#include "runtime/Kernel.h"
#include "test/unit/runtime/TestArtifacts.h"
#include "test/unit/runtime/fakecuda/UseFakeCuda.h"

#include <gtest/gtest.h>
#include <vector>

namespace mamba::test {

inline constexpr const char *kPtx = ".version 8.2\n.target sm_90\n// args 5\n"
                                    ".visible .entry sum_chunks\n"
                                    ".visible .entry sum_partials\n";

/// chunkedSumArtifact() as PTX.
inline Artifact cudaArtifact() {
  Artifact artifact = chunkedSumArtifact();
  artifact.kind = ImageKind::Ptx;
  artifact.target = "sm_90";
  artifact.image = kPtx;
  for (LaunchSpec &launch : artifact.launches)
    launch.blockSize = 128;
  return artifact;
}

/// A kernel's tensors on cuda:0, and the fake driver as new.
class CudaTest : public testing::Test {
protected:
  CudaTest() {
    FakeCudaState &state = fake();
    state.capturing = false;
    state.failures.clear();
    state.failingCall = 0;
    state.contextLost = 0;
    state.launches.clear();
    state.calls.clear();
    state.registers = 40;
    state.maxThreads = 1024;
    device = *Device::open("cuda:0");
    x = *DeviceBuffer::allocate(device, 4096);
    sums = *DeviceBuffer::allocate(device, 4096);
  }
  ~CudaTest() override {
    fake().failures.clear();
    fake().contextLost = 0;
    EXPECT_EQ(fake().violations, 0);
    EXPECT_EQ(fake().contextDepth, 0);
  }

  std::shared_ptr<Kernel> make(Artifact artifact) {
    return *Kernel::create(
        std::make_shared<const Artifact>(std::move(artifact)), device);
  }
  std::vector<TensorView> views(int64_t length = 9) {
    return {TensorView::contiguous(x.data(), DType::F32, {2, length}),
            TensorView::contiguous(sums.data(), DType::F32, {2})};
  }
  void expectError(const Status &status, StatusCode code,
                   std::initializer_list<const char *> parts) {
    EXPECT_EQ(status.code(), code) << status.toString();
    for (const char *part : parts)
      EXPECT_NE(status.message().find(part), std::string::npos)
          << "no '" << part << "' in: " << status.message();
  }

  std::shared_ptr<Device> device;
  DeviceBuffer x, sums;
};

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_RUNTIME_CUDATESTING_H
