//===- CudaFaultTest.cpp - A driver that fails ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whichever call fails: a typed error that names it, nothing leaked, and the
// next use works.
//
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/CudaTesting.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace mamba;
using namespace mamba::test;

namespace {

using CudaFaultTest = CudaTest;

/// What the driver has given and not got back.
struct Live {
  size_t allocations = fake().allocations.size();
  int modules = fake().modules;
  int handles = fake().handles;
  int retained = fake().retained;
  int contextDepth = fake().contextDepth;
  bool operator==(const Live &) const = default;
};

/// A stream that is destroyed when the scope is left.
struct Stream {
  ~Stream() { device->destroyStream(handle); }
  std::shared_ptr<Device> device;
  void *handle;
};

/// A program, from a closed device to a result.
Status useDevice() {
  MAMBA_ASSIGN_OR_RETURN(auto device, Device::open("cuda:1"));
  HostTensor host(DType::F32, {2, 9}), sums(DType::F32, {2});
  MAMBA_ASSIGN_OR_RETURN(auto x, DeviceTensor::copyOf(host, device));
  MAMBA_ASSIGN_OR_RETURN(auto y, DeviceTensor::copyOf(sums, device));
  std::vector<TensorView> views = {x.view(), y.view()};
  MAMBA_ASSIGN_OR_RETURN(void *handle, device->createStream());
  Stream stream{device, handle};
  MAMBA_ASSIGN_OR_RETURN(
      auto kernel,
      Kernel::create(std::make_shared<const Artifact>(cudaArtifact()), device));
  MAMBA_RETURN_IF_ERROR(kernel->prepare(views, handle));
  auto launch = [&] { return kernel->launch(views, handle); };
  MAMBA_RETURN_IF_ERROR(launch());
  MAMBA_RETURN_IF_ERROR(device->timeMillis(handle, launch).status());
  MAMBA_ASSIGN_OR_RETURN(auto graph, device->record(handle, launch));
  MAMBA_RETURN_IF_ERROR(graph->launch(handle));
  MAMBA_RETURN_IF_ERROR(device->synchronize(handle));
  return y.copyTo(sums);
}

TEST_F(CudaFaultTest, EveryCallMayFindNoMemory) {
  ASSERT_TRUE(useDevice().ok());
  Live before;
  std::vector<std::string> survived;
  int call = 1;
  for (;; ++call) {
    fake().failingCall = call;
    fake().failedCall.clear();
    Status status = useDevice();
    std::string name = fake().failedCall;
    if (name.empty())
      break; // There are fewer calls.
    EXPECT_EQ(Live(), before) << "call " << call << ", " << name;
    EXPECT_FALSE(fake().capturing) << "call " << call << ", " << name;
    if (status.ok())
      survived.push_back(name);
    else
      expectError(status, StatusCode::OutOfMemory, {name.c_str(), "(2)"});
    ASSERT_TRUE(useDevice().ok()) << "after call " << call << ", " << name;
    ASSERT_EQ(Live(), before);
  }
  EXPECT_GT(call, 50);
  // Temporaries have a second try, with the least size; waiting for a stream
  // before it is destroyed has no one to tell.
  EXPECT_EQ(survived,
            (std::vector<std::string>{"cuMemAlloc_v2", "cuStreamSynchronize"}));
}

TEST_F(CudaFaultTest, AFailedLaunchIsForgotten) {
  auto kernel = make(cudaArtifact());
  fake().failures["cuLaunchKernel"] = 701;
  expectError(kernel->launch(views()), StatusCode::DriverError, {"(701)"});
  EXPECT_TRUE(fake().launches.empty());
  fake().failures.clear();
  ASSERT_TRUE(kernel->launch(views()).ok());
  EXPECT_EQ(fake().launches.size(), 2u);
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 1);
}

TEST_F(CudaFaultTest, ALostContextIsSaidToBeLost) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->prepare(views()).ok());
  fake().contextLost = 700;
  const char *advice = "this process can't use the device any more";
  expectError(kernel->launch(views()), StatusCode::DriverError,
              {"kernel 'chunked_sum'", "(700)", advice});
  expectError(device->synchronize(), StatusCode::DriverError,
              {"cuda:0", "cuCtxSynchronize", advice});
  expectError(device->allocate(16).status(), StatusCode::DriverError, {advice});
  expectError(make(cudaArtifact())->load().status(), StatusCode::DriverError,
              {"loading kernel 'chunked_sum'", advice});
  // A host without its device still works, and everything can be closed.
  EXPECT_TRUE(Device::open("cpu").ok());
  kernel.reset();
  x.reset();
  EXPECT_EQ(fake().modules, 0);
}

TEST_F(CudaFaultTest, AContextThatCannotBeCurrentIsAnError) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->prepare(views()).ok());
  fake().failures["cuCtxPushCurrent_v2"] = 2;
  expectError(kernel->launch(views()), StatusCode::OutOfMemory,
              {"kernel 'chunked_sum'", "cuCtxPushCurrent_v2"});
  EXPECT_TRUE(fake().launches.empty());
  fake().failures.clear();
  EXPECT_TRUE(kernel->launch(views()).ok());
}

TEST_F(CudaFaultTest, OtherErrorsAreNoLoss) {
  fake().failures["cuMemAlloc_v2"] = 1;
  Status status = device->allocate(16).status();
  EXPECT_EQ(status.code(), StatusCode::DriverError);
  EXPECT_EQ(status.message().find("any more"), std::string::npos);
}

/// The driver forbids most calls in a capture, and ends it if one is made.
TEST_F(CudaFaultTest, AMissInACaptureOnlyAsks) {
  auto kernel = make(cudaArtifact());
  fake().capturing = true;
  fake().calls.clear();
  expectError(kernel->launch(views()), StatusCode::CaptureForbidden,
              {"call prepare()"});
  for (const auto &[name, count] : fake().calls)
    EXPECT_TRUE(name == "cuStreamIsCapturing" ||
                name == "cuPointerGetAttributes" ||
                name == "cuCtxPushCurrent_v2" || name == "cuCtxPopCurrent_v2")
        << name;
}

TEST_F(CudaFaultTest, DevicesHaveTheirOwnModulesAndTemporaries) {
  auto artifact = std::make_shared<const Artifact>(cudaArtifact());
  auto other = *Device::open("cuda:1");
  auto otherX = *DeviceBuffer::allocate(other, 4096);
  auto otherSums = *DeviceBuffer::allocate(other, 4096);
  auto first = *Kernel::create(artifact, device);
  auto second = *Kernel::create(artifact, other);
  std::vector<TensorView> otherViews = {
      TensorView::contiguous(otherX.data(), DType::F32, {2, 9}),
      TensorView::contiguous(otherSums.data(), DType::F32, {2})};
  ASSERT_TRUE(first->launch(views()).ok());
  ASSERT_TRUE(second->launch(otherViews).ok());
  EXPECT_EQ(fake().modules, 2);
  const auto &launches = fake().launches;
  ASSERT_EQ(launches.size(), 4u);
  EXPECT_EQ(launches[0].ordinal, 0);
  EXPECT_EQ(launches[2].ordinal, 1);
  auto placeOf = [](int64_t address) {
    return Device::nameOf(reinterpret_cast<void *>(address));
  };
  EXPECT_EQ(placeOf(launches[0].args[2]), "cuda:0");
  EXPECT_EQ(placeOf(launches[2].args[2]), "cuda:1");
  // Tensors of one device are none of a kernel's of the other.
  expectError(second->launch(views()), StatusCode::InvalidArgument,
              {"memory of cuda:0", "required is memory of cuda:1"});
}

/// In a process in which nobody has used the driver.
void forkThenUse() {
  pid_t child = fork();
  if (child == 0)
    _exit(useDevice().ok() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  // The parent may use it all the same.
  bool both = WIFEXITED(status) && WEXITSTATUS(status) == 0 && useDevice().ok();
  _exit(both ? 0 : 1);
}

TEST(CudaForkTest, AChildForkedBeforeTheFirstUseWorks) {
  // Starts the program anew: in this one, other tests have used the driver.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(forkThenUse(), testing::ExitedWithCode(0), "");
}

} // namespace
