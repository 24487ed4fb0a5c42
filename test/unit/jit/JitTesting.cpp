//===- JitTesting.cpp - Modules for tests of the JIT ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tests' kernel cache is a folder of their own, gone when they end.
//
//===----------------------------------------------------------------------===//

#include "test/unit/jit/JitTesting.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>

using namespace mamba;
using namespace mamba::test;

namespace {

class CacheFolder : public testing::Environment {
public:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "mamba-jit-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    setenv("MAMBA_CACHE_DIR", folder.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

private:
  std::filesystem::path folder;
};

[[maybe_unused]] testing::Environment *const cacheFolder =
    testing::AddGlobalTestEnvironment(new CacheFolder);

} // namespace

std::string mamba::test::recurrenceText(std::string_view comment) {
  return "// " + std::string(comment) + R"(
#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>
func.func @recurrence(%u: tensor<?x?x?xf32>, %a: tensor<?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>) {
  %decay = linalg.generic {indexing_maps = [#d, #bld],
                           iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%a : tensor<?xf32>) outs(%u : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %out: f32):
    linalg.yield %x : f32
  } -> tensor<?x?x?xf32>
  %h, %last = ssm.scan %decay, %u : tensor<?x?x?xf32>
  return %h, %last : tensor<?x?x?xf32>, tensor<?x?xf32>
}
)";
}

Function mamba::test::makeRecurrence(std::string_view comment) {
  Result<Module> module = Module::parse(recurrenceText(comment), "test.mlir");
  EXPECT_TRUE(module.ok()) << module.status().message();
  Result<Function> function = module->function("recurrence");
  EXPECT_TRUE(function.ok()) << function.status().message();
  return *function;
}

RecurrenceTensors::RecurrenceTensors(int64_t batch, int64_t length,
                                     int64_t channels)
    : u(DType::F32, {batch, length, channels}), a(DType::F32, {channels}),
      h(DType::F32, {batch, length, channels}),
      last(DType::F32, {batch, channels}) {
  u.fill(1);
  a.fill(0.5);
  h.fillNaN();
  last.fillNaN();
}

std::vector<TensorView> RecurrenceTensors::views() const {
  return {u.view(), a.view(), h.view(), last.view()};
}

double RecurrenceTensors::maxError() const {
  double error = 0;
  auto compare = [&](std::complex<double> found, int64_t step) {
    double exact = 2 - std::ldexp(1.0, -static_cast<int>(step));
    // A NaN must not compare as small.
    if (!(std::abs(found - exact) <= error))
      error = std::abs(found - exact);
  };
  forEachIndex(h.shape(), [&](std::span<const int64_t> index) {
    compare(h.at(index), index[1]);
  });
  forEachIndex(last.shape(), [&](std::span<const int64_t> index) {
    compare(last.at(index), h.shape()[1] - 1);
  });
  return error;
}

std::vector<TensorView>
mamba::test::firstColumns(const RecurrenceTensors &parent,
                          const RecurrenceTensors &own) {
  std::vector<TensorView> views = own.views(), wide = parent.views();
  for (size_t i : {0, 2}) {
    int64_t channels = views[i].shape[2];
    views[i] = wide[i];
    views[i].shape[2] = channels;
  }
  return views;
}

std::shared_ptr<Device> mamba::test::cpuDevice() {
  EXPECT_TRUE(registerCompiler().ok());
  Result<std::shared_ptr<Device>> device = Device::open("cpu");
  EXPECT_TRUE(device.ok()) << device.status().message();
  return *device;
}
