//===- CudaTest.cpp - The driver's use, without a GPU ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MAMBA_LIBCUDA points to the fake library; what the runtime asks of it and
// what it says when the driver refuses is checked here.
//
//===----------------------------------------------------------------------===//

#include "runtime/LaunchTimer.h"
#include "runtime/cuda/Compatibility.h"
#include "runtime/cuda/Driver.h"
#include "test/unit/runtime/CudaTesting.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace mamba;
using namespace mamba::test;

namespace {

TEST_F(CudaTest, Info) {
  const DeviceInfo &info = device->info();
  EXPECT_EQ(info.name, "cuda:0");
  EXPECT_EQ(info.target, "sm_90");
  EXPECT_EQ(info.multiprocessors, 132);
  EXPECT_EQ(info.maxPtxVersion, 82);
  EXPECT_EQ(info.maxBlocks, 0x7FFFFFFF);
  expectError(Device::open("cuda:7").status(), StatusCode::NotFound,
              {"opening 'cuda:7'", "shows 2 devices"});
}

TEST_F(CudaTest, BytesInUse) {
  Result<int64_t> before = device->bytesInUse();
  ASSERT_TRUE(before.ok());
  DeviceBuffer buffer = *DeviceBuffer::allocate(device, 1000);
  EXPECT_EQ(*device->bytesInUse(), *before + 1000);
  buffer.reset();
  EXPECT_EQ(*device->bytesInUse(), *before);
  fake().failures["cuMemGetInfo_v2"] = cuda::CUDA_ERROR_OUT_OF_MEMORY;
  expectError(device->bytesInUse().status(), StatusCode::OutOfMemory,
              {"cuda:0", "cuMemGetInfo"});
}

TEST_F(CudaTest, LaunchesInOrderOnTheStream) {
  auto kernel = make(cudaArtifact());
  void *stream = *device->createStream();
  Status status = kernel->launch(views(), stream);
  ASSERT_TRUE(status.ok()) << status.toString();
  const auto &launches = fake().launches;
  ASSERT_EQ(launches.size(), 2u);
  EXPECT_EQ(launches[0].entry, "sum_chunks");
  EXPECT_EQ(launches[0].grid, 2u * 3);
  EXPECT_EQ(launches[0].block, 128u);
  EXPECT_EQ(launches[0].stream, stream);
  EXPECT_EQ(launches[0].args[0], reinterpret_cast<int64_t>(x.data()));
  EXPECT_EQ(launches[0].args[3], 3); // Stride of the temporary.
  EXPECT_EQ(launches[0].args[4], 9);
  EXPECT_EQ(launches[1].grid, 2u);
  EXPECT_EQ(launches[1].args[0], launches[0].args[2]); // The temporary.
  device->destroyStream(stream);
}

TEST_F(CudaTest, WarmLaunchesCallOnlyTheLaunch) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->prepare(views()).ok());
  EXPECT_TRUE(fake().launches.empty());
  fake().calls.clear();
  ASSERT_TRUE(kernel->launch(views()).ok());
  for (const auto &[name, count] : fake().calls)
    EXPECT_TRUE(name == "cuLaunchKernel" || name.starts_with("cuCtxPushC") ||
                name.starts_with("cuCtxPopC"))
        << name;
  EXPECT_EQ(fake().calls["cuLaunchKernel"], 2);
}

TEST_F(CudaTest, StreamsHaveTheirOwnTemporaries) {
  auto kernel = make(cudaArtifact());
  void *first = *device->createStream(), *second = *device->createStream();
  ASSERT_TRUE(kernel->launch(views(), first).ok());
  ASSERT_TRUE(kernel->launch(views(), second).ok());
  ASSERT_TRUE(kernel->launch(views(), first).ok());
  const auto &launches = fake().launches;
  EXPECT_NE(launches[0].args[2], launches[2].args[2]);
  EXPECT_EQ(launches[0].args[2], launches[4].args[2]);
  device->destroyStream(first);
  device->destroyStream(second);
}

TEST_F(CudaTest, OutgrownTemporariesStayAllocated) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->launch(views(1)).ok());
  ASSERT_TRUE(kernel->launch(views(512)).ok());
  auto old = static_cast<uintptr_t>(fake().launches[0].args[2]);
  EXPECT_NE(old, static_cast<uintptr_t>(fake().launches[2].args[2]));
  EXPECT_TRUE(fake().allocations.contains(old));
  kernel.reset();
  EXPECT_FALSE(fake().allocations.contains(old));
}

TEST_F(CudaTest, CaptureNeedsPrepare) {
  auto kernel = make(cudaArtifact());
  fake().capturing = true;
  fake().calls.clear();
  expectError(kernel->launch(views()), StatusCode::CaptureForbidden,
              {"kernel 'chunked_sum'", "call prepare()"});
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 0);
  fake().capturing = false;
  ASSERT_TRUE(kernel->prepare(views()).ok());
  fake().capturing = true;
  EXPECT_TRUE(kernel->launch(views()).ok());
  // Temporaries of 2 * 128 floats are more than was prepared.
  expectError(kernel->launch(views(512)), StatusCode::CaptureForbidden,
              {"bytes for temporaries"});
}

TEST_F(CudaTest, GraphsHoldLaunches) {
  auto kernel = make(cudaArtifact());
  Result<void *> stream = device->createStream();
  ASSERT_TRUE(stream.ok());
  ASSERT_TRUE(kernel->prepare(views(), *stream).ok());
  auto graph =
      device->record(*stream, [&] { return kernel->launch(views(), *stream); });
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_FALSE(fake().capturing);
  EXPECT_TRUE((*graph)->launch(*stream).ok());
  EXPECT_EQ(fake().calls["cuGraphLaunch"], 1);
  EXPECT_EQ(fake().calls["cuGraphDestroy"], 1);
  graph->reset();
  EXPECT_EQ(fake().calls["cuGraphExecDestroy"], 1);
  device->destroyStream(*stream);
}

TEST_F(CudaTest, CapturesThatFailAreEnded) {
  auto kernel = make(cudaArtifact());
  Result<void *> stream = device->createStream();
  ASSERT_TRUE(stream.ok());
  // Nothing was prepared.
  auto graph =
      device->record(*stream, [&] { return kernel->launch(views(), *stream); });
  expectError(graph.status(), StatusCode::CaptureForbidden, {"call prepare()"});
  EXPECT_FALSE(fake().capturing);
  EXPECT_EQ(fake().calls["cuGraphDestroy"], 1);
  EXPECT_EQ(fake().calls["cuGraphInstantiateWithFlags"], 0);
  device->destroyStream(*stream);
}

TEST_F(CudaTest, TimersMayUseGraphs) {
  LaunchTimer timer(make(cudaArtifact()), {views(), views()});
  ASSERT_TRUE(timer.useGraphs().ok());
  Result<Timing> timing = timer.time(3);
  ASSERT_TRUE(timing.ok()) << timing.status().message();
  EXPECT_TRUE(timing->isGraph);
  EXPECT_EQ(timing->sets, 2);
  EXPECT_GT(fake().calls["cuGraphLaunch"], 3);
}

TEST_F(CudaTest, EmptyLengthLaunchesTheRest) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->launch(views(0)).ok());
  ASSERT_EQ(fake().launches.size(), 1u);
  EXPECT_EQ(fake().launches[0].entry, "sum_partials");
}

TEST_F(CudaTest, PtxNewerThanTheDriver) {
  Artifact artifact = cudaArtifact();
  artifact.image.replace(artifact.image.find("8.2"), 3, "9.0");
  expectError(make(artifact)->launch(views()), StatusCode::Unsupported,
              {"PTX 9.0", "driver (CUDA 12.2) compiles PTX up to 8.2",
               "CUDA 13.0 or newer", "cubin for sm_90", "ptxas fake: line 1",
               "cuda:0 (Fake H100, sm_90)"});
}

TEST_F(CudaTest, BrokenPtxShowsTheLog) {
  Artifact artifact = cudaArtifact();
  artifact.image += "broken";
  expectError(make(artifact)->launch(views()), StatusCode::CompileError,
              {"cuModuleLoadDataEx", "(218)", "ptxas fake: line 1"});
}

TEST_F(CudaTest, CodeThatDoesNotFit) {
  Artifact artifact = cudaArtifact();
  artifact.target = "sm_100";
  expectError(make(artifact)->launch(views()), StatusCode::Unsupported,
              {"compiled for sm_100", "compile it for sm_90"});
  artifact = cudaArtifact();
  artifact.launches[0].entry = "missing";
  expectError(make(artifact)->launch(views()), StatusCode::NotFound,
              {"entry 'missing'"});
  artifact = cudaArtifact();
  artifact.launches[0].args.pop_back();
  expectError(make(artifact)->launch(views()), StatusCode::InvalidArgument,
              {"5 parameters, and the artifact describes 4"});
  artifact = cudaArtifact();
  artifact.launches[0].sharedBytes = 300000;
  expectError(make(artifact)->launch(views()), StatusCode::Unsupported,
              {"300000 bytes of shared memory", "the device has 232448"});
  fake().maxThreads = 64;
  expectError(make(cudaArtifact())->launch(views()), StatusCode::Unsupported,
              {"blocks of 128 threads with 40 registers", "64 threads"});
}

TEST_F(CudaTest, RaisesTheSharedMemoryLimit) {
  Artifact artifact = cudaArtifact();
  artifact.launches[0].sharedBytes = 100000;
  ASSERT_TRUE(make(artifact)->prepare(views()).ok());
  EXPECT_EQ(fake().dynamicSharedLimit, 100000);
}

TEST_F(CudaTest, LaunchFailuresSayEverything) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->prepare(views()).ok());
  fake().failures["cuLaunchKernel"] = 701;
  expectError(kernel->launch(views()), StatusCode::DriverError,
              {"kernel 'chunked_sum'", "'sum_chunks'", "cuda:0 (Fake H100",
               "grid 6", "block 128", "0 + 0 bytes of shared memory",
               "40 registers", "cuLaunchKernel failed", "(701)"});
}

TEST_F(CudaTest, GridsThatAreSums) {
  Artifact artifact = cudaArtifact();
  auto &grid = artifact.launches[0].grid; // 2 * 3 blocks; L = 9.
  grid.push_back({Axis::Other, 4, true});
  grid.push_back({Axis::Length, 2});
  ASSERT_TRUE(make(artifact)->launch(views()).ok());
  EXPECT_EQ(fake().launches[0].grid, 2u * 3 + 4 * 5);
  const auto few = grid;
  const GridTerm huge = {Axis::Other, int64_t(1) << 62, true};
  // A sum that overflows, and a product.
  for (const GridTerm &last : {huge, GridTerm{Axis::Other, 4}}) {
    grid = few;
    grid.insert(grid.end(), {huge, last});
    expectError(make(artifact)->check(views()), StatusCode::InvalidArgument,
                {"needs more than 2^63 blocks"});
  }
}

TEST_F(CudaTest, GridsBeyondTheDevice) {
  Artifact artifact = cudaArtifact();
  artifact.launches[0].grid.push_back({Axis::Other, int64_t(1) << 30});
  expectError(
      make(artifact)->check(views()), StatusCode::InvalidArgument,
      {"launch 'sum_chunks' needs 6442450944 blocks", "at most 2147483647"});
}

TEST_F(CudaTest, PointersOfOtherPlaces) {
  auto kernel = make(cudaArtifact());
  float host[64];
  auto tensors = views();
  tensors[0].data = host;
  expectError(kernel->launch(tensors), StatusCode::InvalidArgument,
              {"tensor 'x'", "host or freed memory", "memory of cuda:0"});
  auto other = *Device::open("cuda:1");
  auto buffer = *DeviceBuffer::allocate(other, 4096);
  tensors[0].data = buffer.data();
  expectError(kernel->launch(tensors), StatusCode::InvalidArgument,
              {"memory of cuda:1"});
  EXPECT_EQ(Device::nameOf(buffer.data()), "cuda:1");
  EXPECT_EQ(Device::nameOf(host), "cpu");
  auto cpu = *Device::open("cpu");
  expectError(cpu->checkPointer(buffer.data()), StatusCode::InvalidArgument,
              {"is memory of cuda:1", "host memory"});
}

TEST_F(CudaTest, FreedPointersAreForgotten) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->launch(views()).ok());
  auto tensors = views();
  x.reset();
  expectError(kernel->launch(tensors), StatusCode::InvalidArgument,
              {"host or freed memory"});
}

TEST_F(CudaTest, OutOfMemory) {
  fake().failures["cuMemAlloc_v2"] = 2;
  expectError(
      device->allocate(12345).status(), StatusCode::OutOfMemory,
      {"allocating 12345 bytes on cuda:0", "CUDA_ERROR_OUT_OF_MEMORY (2)"});
  expectError(make(cudaArtifact())->launch(views()), StatusCode::OutOfMemory,
              {"temporaries"});
}

TEST_F(CudaTest, ContextsAndModulesAreGivenBack) {
  {
    auto kernel = make(cudaArtifact());
    ASSERT_TRUE(kernel->prepare(views()).ok());
    EXPECT_GT(fake().modules, 0);
  }
  EXPECT_EQ(fake().modules, 0);
  x.reset();
  sums.reset();
  device.reset();
  EXPECT_EQ(fake().retained, 0);
}

TEST_F(CudaTest, CopiesAndTimes) {
  HostTensor host(DType::F32, {4, 5});
  host.fill([](int64_t i) { return double(i); });
  auto copy = *DeviceTensor::copyOf(host, device);
  HostTensor back(DType::F32, {4, 5});
  ASSERT_TRUE(copy.copyTo(back).ok());
  EXPECT_EQ(back.at(std::vector<int64_t>{3, 4}).real(), 19);
  EXPECT_EQ(*device->timeMillis(nullptr, [] { return Status(); }), 0.5);
  EXPECT_TRUE(device->synchronize().ok());
}

TEST_F(CudaTest, ForkedChildGetsATypedError) {
  auto kernel = make(cudaArtifact());
  ASSERT_TRUE(kernel->prepare(views()).ok());
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    bool launch = kernel->launch(views()).code() == StatusCode::Forked;
    bool open = Device::open("cuda:0").code() == StatusCode::Forked;
    bool cpu = Device::open("cpu").ok();
    _exit(launch && open && cpu ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(CudaDriver, MissingLibraryListsEveryPath) {
  std::vector<std::string> paths{"libcuda-missing.so.1", "/nowhere/libcuda.so",
                                 "libm.so.6"};
  Status status = cuda::Driver::load(paths).status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  for (const char *part :
       {"libcuda-missing.so.1: ", "/nowhere/libcuda.so: ",
        "libm.so.6: has no function cuInit", "MAMBA_LIBCUDA"})
    EXPECT_NE(status.message().find(part), std::string::npos)
        << status.message();
}

TEST(CudaCompatibility, Versions) {
  EXPECT_EQ(cuda::maxPtxVersion(12020), 82);
  EXPECT_EQ(cuda::maxPtxVersion(12060), 85);
  EXPECT_EQ(cuda::maxPtxVersion(13000), 90);
  EXPECT_EQ(cuda::maxPtxVersion(99000), 91);
  EXPECT_EQ(cuda::cudaVersionFor(90), 13000);
  EXPECT_EQ(cuda::cudaVersionFor(100), 0);
  EXPECT_EQ(cuda::ptxVersionOf("// x\n.version 8.7\n.target sm_90"), 87);
  EXPECT_EQ(cuda::ptxVersionOf(".version"), 0);
  EXPECT_EQ(cuda::ptxVersionOf(""), 0);
}

TEST(CudaCompatibility, Targets) {
  auto runs = [](ImageKind kind, const char *code, const char *device) {
    return cuda::checkTarget(kind, code, device).ok();
  };
  EXPECT_TRUE(runs(ImageKind::Ptx, "sm_80", "sm_90"));
  EXPECT_TRUE(runs(ImageKind::Ptx, "sm_90", "sm_120"));
  EXPECT_FALSE(runs(ImageKind::Ptx, "sm_100", "sm_90"));
  EXPECT_TRUE(runs(ImageKind::Ptx, "sm_90a", "sm_90"));
  EXPECT_FALSE(runs(ImageKind::Ptx, "sm_90a", "sm_100"));
  EXPECT_TRUE(runs(ImageKind::Ptx, "sm_100f", "sm_103"));
  EXPECT_FALSE(runs(ImageKind::Ptx, "sm_100f", "sm_120"));
  EXPECT_TRUE(runs(ImageKind::Cubin, "sm_80", "sm_86"));
  EXPECT_FALSE(runs(ImageKind::Cubin, "sm_80", "sm_90"));
  EXPECT_FALSE(runs(ImageKind::Ptx, "x86-64", "sm_90"));
  EXPECT_FALSE(runs(ImageKind::Ptx, "sm_90x", "sm_90"));
}

} // namespace
