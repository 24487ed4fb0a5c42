//===- latency.cpp - What the compiler and the runtime cost ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Times what a user waits for besides the kernel itself, and prints it as JSON:
//
//     bench-latency LAYER.mlir [cpu|cuda:0]
//
//   compile_us    the file's only function to PTX (or an object), past all
//                 caches, in this process; CPU time of this thread
//   launch_us     host time of Function::launch on a warm kernel
//   driver_us     host time of the same launches without the runtime's checks:
//                 the loaded kernel alone, which is cuLaunchKernel on CUDA
//
//===----------------------------------------------------------------------===//

#include "runtime/Binding.h"
#include "runtime/Buffer.h"
#include "runtime/jit/Jit.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

using namespace mamba;

/// Seconds that this thread computed: other work on the machine counts little.
static double threadSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * now.tv_nsec;
}

static double wallSeconds() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

/// Microseconds: the first and the median.
struct Times {
  double first = 0;
  double median = 0;
};

static Times summarize(std::vector<double> seconds) {
  Times times;
  times.first = 1e6 * seconds.front();
  std::sort(seconds.begin(), seconds.end());
  times.median = 1e6 * seconds[seconds.size() / 2];
  return times;
}

static Result<Times> timeCompile(const Function &function,
                                 const std::string &target) {
  constexpr int kRounds = 11;
  VariantRequest request;
  request.target = target;
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    double start = threadSeconds();
    MAMBA_ASSIGN_OR_RETURN(Artifact artifact, function.compile(request));
    seconds.push_back(threadSeconds() - start);
  }
  return summarize(seconds);
}

/// Extents of the dynamic dimensions: small, so that the host is what is timed.
static int64_t extentOf(const DimSpec &dim) {
  if (dim.extent != kDynamic)
    return dim.extent;
  return dim.axis == Axis::Batch ? 1 : 64;
}

/// Zeros for every input and result of the function.
static Status makeTensors(const Function &function,
                          const std::shared_ptr<Device> &device,
                          std::vector<DeviceBuffer> &buffers,
                          std::vector<TensorView> &tensors) {
  for (const TensorSpec &spec : function.info().tensors) {
    std::vector<int64_t> shape;
    int64_t elements = 1;
    for (const DimSpec &dim : spec.dims) {
      shape.push_back(extentOf(dim));
      elements *= shape.back();
    }
    int64_t bytes = elements * byteSize(spec.dtype);
    MAMBA_ASSIGN_OR_RETURN(DeviceBuffer buffer,
                           DeviceBuffer::allocate(device, bytes));
    MAMBA_RETURN_IF_ERROR(device->memset(buffer.data(), 0, bytes));
    tensors.push_back(TensorView::contiguous(buffer.data(), spec.dtype, shape));
    buffers.push_back(std::move(buffer));
  }
  return device->synchronize();
}

/// Host time of one call of `launch`; the queue is drained between batches, so
/// that it never fills.
template <typename Launch>
static Result<Times> timeLaunches(Device &device, const Launch &launch) {
  constexpr int kBatches = 101, kBatch = 50;
  std::vector<double> seconds;
  for (int batch = 0; batch < kBatches; ++batch) {
    double start = wallSeconds();
    for (int i = 0; i < kBatch; ++i)
      MAMBA_RETURN_IF_ERROR(launch());
    seconds.push_back((wallSeconds() - start) / kBatch);
    MAMBA_RETURN_IF_ERROR(device.synchronize());
  }
  return summarize(seconds);
}

/// The launches of one call with nothing checked and nothing looked up.
static Result<Times> timeDriver(Kernel &kernel,
                                std::span<const TensorView> tensors) {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<LoadedKernel> loaded, kernel.load());
  const Artifact &artifact = kernel.artifact();
  Signature signature(artifact);
  Binding binding;
  MAMBA_RETURN_IF_ERROR(binding.bind(signature, tensors));
  if (binding.workspaceBytes() > 0 || artifact.launches.size() != 1)
    return Status(StatusCode::Unsupported,
                  "the function is more than one launch; pass one that is "
                  "a single kernel");
  const LaunchSpec &launch = artifact.launches.front();
  MAMBA_ASSIGN_OR_RETURN(int64_t blocks, binding.numBlocks(launch, INT32_MAX));
  std::vector<int64_t> args(launch.args.size());
  binding.fillArgs(launch, nullptr, args);
  return timeLaunches(*kernel.device(),
                      [&] { return loaded->launch(0, blocks, args, nullptr); });
}

static Status reportLaunches(const Function &function,
                             const std::string &deviceName) {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                         Device::open(deviceName));
  std::vector<DeviceBuffer> buffers;
  std::vector<TensorView> tensors;
  MAMBA_RETURN_IF_ERROR(makeTensors(function, device, buffers, tensors));
  MAMBA_ASSIGN_OR_RETURN(Times whole, timeLaunches(*device, [&] {
                           return function.launch(
                               device, std::span<const TensorView>(tensors));
                         }));
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> kernel,
                         function.kernel(device, tensors));
  MAMBA_ASSIGN_OR_RETURN(Times driver, timeDriver(*kernel, tensors));
  std::printf(", \"device\": \"%s\", \"launch_us\": %.2f, "
              "\"driver_us\": %.2f",
              device->info().model.c_str(), whole.median, driver.median);
  return Status::success();
}

static Status run(const std::string &path, const std::string &deviceName) {
  MAMBA_ASSIGN_OR_RETURN(Module module, Module::load(path));
  MAMBA_ASSIGN_OR_RETURN(Function function, module.function());
  MAMBA_ASSIGN_OR_RETURN(
      Times compile,
      timeCompile(function, deviceName == "cpu" ? "cpu" : "sm_90"));
  std::printf("{\"compile_first_us\": %.0f, \"compile_us\": %.0f",
              compile.first, compile.median);
  if (!deviceName.empty())
    MAMBA_RETURN_IF_ERROR(reportLaunches(function, deviceName));
  std::printf("}\n");
  return Status::success();
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: bench-latency LAYER.mlir [cpu|cuda:0]\n");
    return 1;
  }
  Status status = run(argv[1], argc > 2 ? argv[2] : "");
  if (status.ok())
    return 0;
  std::fprintf(stderr, "error: %s\n", status.message().c_str());
  return 1;
}
