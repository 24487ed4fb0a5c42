//===- KernelTest.cpp - Binding and launching on the CPU ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Launches of hand-written kernels, and every call that must be refused.
//
//===----------------------------------------------------------------------===//

#include "runtime/Kernel.h"

#include "runtime/Buffer.h"
#include "test/unit/Sanitized.h"
#include "test/unit/runtime/TestArtifacts.h"

#include <gtest/gtest.h>
#include <new>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace mamba;
using namespace mamba::test;

#ifndef MAMBA_TEST_SANITIZED
/// Counts allocations, for the test of the warm path.
static std::atomic<int64_t> allocations{0};

void *operator new(size_t bytes) {
  ++allocations;
  void *block = std::malloc(bytes ? bytes : 1);
  if (!block)
    std::abort();
  return block;
}
void operator delete(void *block) noexcept { std::free(block); }
void operator delete(void *block, size_t) noexcept { std::free(block); }
#endif

namespace {

class KernelTest : public testing::Test {
protected:
  KernelTest() {
    registerObjectLoader(loader);
    device = *Device::open("cpu");
  }
  ~KernelTest() override {
    device.reset();
    registerObjectLoader(nullptr);
  }

  std::shared_ptr<Kernel> make(Artifact artifact) {
    auto kernel = Kernel::create(
        std::make_shared<const Artifact>(std::move(artifact)), device);
    EXPECT_TRUE(kernel.ok()) << kernel.status().toString();
    return *kernel;
  }

  std::shared_ptr<FakeLoader> loader = makeLoader();
  std::shared_ptr<Device> device;
};

std::vector<int64_t> at(int64_t b, int64_t l, int64_t d) { return {b, l, d}; }

/// Tensors of scaleArtifact() and what y must be.
struct ScaleProblem {
  HostTensor x, w, y;

  ScaleProblem(int64_t batch, int64_t length, int64_t channels)
      : x(DType::F32, {batch, length, channels}), w(DType::F32, {channels}),
        y(DType::F32, {batch, length, channels}) {
    x.fill([](int64_t i) { return double(i % 97); });
    w.fill([](int64_t i) { return double(i + 2); });
    y.fillNaN();
  }

  std::vector<TensorView> views() const {
    return {x.view(), w.view(), y.view()};
  }

  void expectRight() const {
    forEachIndex(y.shape(), [&](std::span<const int64_t> index) {
      std::vector<int64_t> channel{index[2]};
      ASSERT_EQ(y.at(index).real(), x.at(index).real() * w.at(channel).real());
    });
    EXPECT_TRUE(y.guardsIntact());
  }
};

TEST_F(KernelTest, Launches) {
  auto kernel = make(scaleArtifact());
  for (int64_t length : {1, 3, 33, 128}) {
    ScaleProblem problem(2, length, 7);
    Status status = kernel->launch(problem.views());
    ASSERT_TRUE(status.ok()) << status.toString();
    problem.expectRight();
  }
  EXPECT_EQ(loader->loads, 1);
}

TEST_F(KernelTest, StridedViews) {
  auto kernel = make(scaleArtifact());
  ScaleProblem problem(2, 5, 6);
  // The result is a slice of a wider parent, with the channels outermost.
  std::vector<int64_t> shape{2, 5, 6}, strides{100, 2, 13};
  problem.y = HostTensor(DType::F32, shape, strides, 3);
  problem.y.fillNaN();
  ASSERT_TRUE(kernel->launch(problem.views()).ok());
  problem.expectRight();
}

TEST_F(KernelTest, BroadcastInput) {
  auto kernel = make(scaleArtifact());
  ScaleProblem problem(3, 4, 5);
  TensorView x = problem.x.view();
  x.strides[0] = 0;
  ASSERT_TRUE(
      kernel->launch(std::vector{x, problem.w.view(), problem.y.view()}).ok());
  EXPECT_EQ(problem.y.at(at(2, 3, 4)).real(),
            problem.x.at(at(0, 3, 4)).real() * 6);
}

TEST_F(KernelTest, EmptyProblemsDoNothing) {
  auto kernel = make(scaleArtifact());
  for (auto [b, l, d] : {std::array<int64_t, 3>{0, 4, 4}, {2, 0, 4}}) {
    TensorView empty = TensorView::contiguous(nullptr, DType::F32, {b, l, d});
    float w[4] = {};
    Status status = kernel->launch(
        std::vector{empty, TensorView::contiguous(w, DType::F32, {4}), empty});
    EXPECT_TRUE(status.ok()) << status.toString();
  }
  EXPECT_EQ(loader->loads, 0);
}

TEST_F(KernelTest, ResultsThatNothingWouldWriteAreRefused) {
  // The result takes the shape of w: (d).
  Artifact artifact = scaleArtifact();
  artifact.tensors[2].dims = artifact.tensors[1].dims;
  std::erase_if(artifact.launches[0].args, [](const KernelArg &arg) {
    return arg.kind == KernelArg::Kind::Stride && arg.index == 2 && arg.dim > 0;
  });
  auto kernel = make(std::move(artifact));
  HostTensor w(DType::F32, {3}), y(DType::F32, {3});
  TensorView x = TensorView::contiguous(nullptr, DType::F32, {0, 2, 3});
  Status status = kernel->launch(std::vector{x, w.view(), y.view()});
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_NE(status.message().find("result 'y'"), std::string::npos)
      << status.message();
}

TEST_F(KernelTest, EmptyLengthStillWritesOtherResults) {
  auto kernel = make(chunkedSumArtifact());
  HostTensor sums(DType::F32, {3});
  sums.fillNaN();
  TensorView x = TensorView::contiguous(nullptr, DType::F32, {3, 0});
  Status status = kernel->launch(std::vector{x, sums.view()});
  ASSERT_TRUE(status.ok()) << status.toString();
  EXPECT_EQ(sums.at(std::vector<int64_t>{2}).real(), 0);
}

TEST_F(KernelTest, TemporariesGrowOnDemand) {
  auto kernel = make(chunkedSumArtifact());
  for (int64_t length : {1, 4, 5, 1000, 17, 100000}) {
    HostTensor x(DType::F32, {2, length}), sums(DType::F32, {2});
    x.fill(1);
    Status status = kernel->launch(std::vector{x.view(), sums.view()});
    ASSERT_TRUE(status.ok()) << status.toString();
    EXPECT_EQ(sums.at(std::vector<int64_t>{1}).real(), double(length));
  }
}

TEST_F(KernelTest, ThreadsHaveTheirOwnTemporaries) {
  auto kernel = make(chunkedSumArtifact());
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int thread = 0; thread < 6; ++thread)
    threads.emplace_back([&, thread] {
      HostTensor x(DType::F32, {4, 513}), sums(DType::F32, {4});
      x.fill(thread);
      for (int round = 0; round < 100; ++round) {
        Status status = kernel->launch(std::vector{x.view(), sums.view()});
        wrong += !status.ok() ||
                 sums.at(std::vector<int64_t>{3}).real() != 513.0 * thread;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(loader->loads, 1);
}

#ifndef MAMBA_TEST_SANITIZED
TEST_F(KernelTest, WarmLaunchesAllocateNothing) {
  for (Artifact artifact : {scaleArtifact(), chunkedSumArtifact()}) {
    bool scale = artifact.name == "scale";
    auto kernel = make(std::move(artifact));
    ScaleProblem problem(2, 3, 4);
    HostTensor x(DType::F32, {2, 9}), sums(DType::F32, {2});
    std::vector<TensorView> tensors =
        scale ? problem.views() : std::vector{x.view(), sums.view()};
    ASSERT_TRUE(kernel->prepare(tensors).ok());
    ASSERT_TRUE(kernel->launch(tensors).ok());
    int64_t before = allocations;
    for (int i = 0; i < 10; ++i)
      (void)kernel->launch(tensors);
    EXPECT_EQ(allocations, before);
  }
}
#endif

TEST_F(KernelTest, LaunchesInAForkedChild) {
  auto kernel = make(chunkedSumArtifact());
  HostTensor x(DType::F32, {2, 100}), sums(DType::F32, {2});
  x.fill(1);
  ASSERT_TRUE(kernel->launch(std::vector{x.view(), sums.view()}).ok());
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    sums.fillNaN();
    bool ok = kernel->launch(std::vector{x.view(), sums.view()}).ok();
    _exit(ok && sums.at(std::vector<int64_t>{1}).real() == 100 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(KernelTest, LengthMustBeTheMultipleCompiledFor) {
  Artifact artifact = scaleArtifact();
  artifact.lengthMultiple = 16;
  auto kernel = make(artifact);
  auto check = [&](int64_t length) {
    HostTensor x(DType::F32, {1, length, 1}), w(DType::F32, {1}),
        y(DType::F32, {1, length, 1});
    return kernel->check(std::vector{x.view(), w.view(), y.view()});
  };
  EXPECT_TRUE(check(48).ok());
  EXPECT_NE(check(40).message().find("length 40 is not a multiple of 16, which "
                                     "the kernel was compiled for"),
            std::string::npos);
}

TEST_F(KernelTest, GroupsMustDivideChannels) {
  Artifact artifact = scaleArtifact();
  artifact.tensors[1].dims = {{Axis::Group}};
  artifact.channelMultiple = 2;
  auto kernel = make(artifact);
  auto check = [&](int64_t channels, int64_t groups) {
    HostTensor x(DType::F32, {1, 1, channels}), w(DType::F32, {groups}),
        y(DType::F32, {1, 1, channels});
    return kernel->check(std::vector{x.view(), w.view(), y.view()});
  };
  EXPECT_TRUE(check(6, 3).ok());
  EXPECT_NE(check(8, 3).message().find("3 groups do not divide 8 channels"),
            std::string::npos);
  EXPECT_NE(check(8, 0).message().find("0 groups"), std::string::npos);
  EXPECT_NE(check(9, 3).message().find("not a multiple of 2"),
            std::string::npos);
  EXPECT_TRUE(check(0, 0).ok());
}

TEST_F(KernelTest, CodeThatCannotBeLoaded) {
  ScaleProblem problem(1, 1, 1);
  auto launch = [&](auto change) {
    Artifact artifact = scaleArtifact();
    change(artifact);
    return make(artifact)->launch(problem.views());
  };
  Status target = launch([](Artifact &a) { a.target = "other-cpu"; });
  EXPECT_EQ(target.code(), StatusCode::Unsupported);
  EXPECT_NE(target.message().find("'other-cpu'"), std::string::npos);
  Status ptx = launch([](Artifact &a) {
    a.kind = ImageKind::Ptx;
    a.target = "sm_90";
  });
  EXPECT_EQ(ptx.code(), StatusCode::Unsupported);
  EXPECT_EQ(launch([](Artifact &a) { a.image = "?"; }).code(),
            StatusCode::CorruptData);
  EXPECT_EQ(launch([](Artifact &a) { a.launches[0].entry = "no"; }).code(),
            StatusCode::NotFound);
}

TEST_F(KernelTest, WithoutALoader) {
  device.reset();
  registerObjectLoader(nullptr);
  device = *Device::open("cpu");
  ScaleProblem problem(1, 1, 1);
  Status status = make(scaleArtifact())->launch(problem.views());
  EXPECT_EQ(status.code(), StatusCode::Unsupported);
  EXPECT_NE(status.message().find("MambaJit"), std::string::npos);
}

TEST(Device, Names) {
  EXPECT_EQ(Device::open("gpu").code(), StatusCode::InvalidArgument);
  EXPECT_EQ(Device::open("cuda:-1").code(), StatusCode::InvalidArgument);
  EXPECT_EQ(Device::open("cuda:0x").code(), StatusCode::InvalidArgument);
  auto first = Device::open("cpu"), second = Device::open("cpu");
  EXPECT_EQ(*first, *second);
}

TEST(DeviceTensor, CopiesWithStridesAndOffset) {
  auto device = *Device::open("cpu");
  std::vector<int64_t> shape{2, 3}, strides{5, 1};
  HostTensor host(DType::F32, shape, strides, 2);
  host.fill([](int64_t i) { return double(i); });
  auto copy = DeviceTensor::copyOf(host, device);
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(static_cast<float *>(copy->view().data)[5], 3);
  HostTensor back(DType::F32, shape, strides, 2);
  ASSERT_TRUE(copy->copyTo(back).ok());
  EXPECT_EQ(back.at(std::vector<int64_t>{1, 2}).real(), 5);
  HostTensor other(DType::F32, {2});
  EXPECT_EQ(copy->copyTo(other).code(), StatusCode::InvalidArgument);
}

} // namespace
