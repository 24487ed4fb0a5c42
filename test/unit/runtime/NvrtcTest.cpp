//===- NvrtcTest.cpp - CUDA C++ compiled at run time ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Those that need the library are skipped where it is not installed.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Nvrtc.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace mamba;
using namespace mamba::cuda;

namespace {

constexpr const char *kSource =
    "extern \"C\" __global__ void scale(float *x, float a) {\n"
    "  x[threadIdx.x] = a * x[threadIdx.x] + 1.0f;\n"
    "}\n";

/// The library, or null where there is none.
const Nvrtc *library() {
  Result<const Nvrtc *> nvrtc = Nvrtc::get();
  return nvrtc.ok() ? *nvrtc : nullptr;
}

TEST(NvrtcTest, ErrorListsAllPaths) {
  std::string paths[] = {"/nonexistent/libnvrtc.so.13", "libm.so.6"};
  Status status = Nvrtc::load(paths).status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  for (const char *text :
       {"/nonexistent/libnvrtc.so.13: ", "libm.so.6: has no function nvrtc",
        "MAMBA_LIBNVRTC", "pip install nvidia-cuda-nvrtc"})
    EXPECT_NE(status.message().find(text), std::string::npos)
        << status.message();
}

TEST(NvrtcTest, CompilesToPtxAndMachineCode) {
  if (!library())
    GTEST_SKIP() << "no NVRTC here";
  Result<CudaCode> code = library()->compile(kSource, "scale.cu", "sm_90");
  ASSERT_TRUE(code.ok()) << code.status().message();
  EXPECT_NE(code->ptx.find(".entry scale"), std::string::npos);
  EXPECT_NE(code->ptx.find(".target sm_90"), std::string::npos);
  // Nothing is fused that the source doesn't fuse.
  EXPECT_EQ(code->ptx.find("fma"), std::string::npos);
  EXPECT_EQ(code->cubin.substr(0, 4), "\x7f"
                                      "ELF");
  EXPECT_EQ(code->log, "");
}

TEST(NvrtcTest, ErrorHasTheLog) {
  if (!library())
    GTEST_SKIP() << "no NVRTC here";
  Status status =
      library()
          ->compile("__global__ void f() { g(); }", "bad.cu", "sm_90")
          .status();
  EXPECT_EQ(status.code(), StatusCode::CompileError);
  for (const char *text : {"bad.cu(1)", "\"g\" is undefined"})
    EXPECT_NE(status.message().find(text), std::string::npos)
        << status.message();
}

TEST(NvrtcTest, ErrorNamesTheArchitecture) {
  if (!library())
    GTEST_SKIP() << "no NVRTC here";
  Status status = library()->compile(kSource, "scale.cu", "sm_7").status();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("sm_7"), std::string::npos)
      << status.message();
}

TEST(NvrtcTest, ArtifactOfSourceBecomesMachineCode) {
  if (!library())
    GTEST_SKIP() << "no NVRTC here";
  Artifact artifact;
  artifact.name = "scale";
  artifact.kind = ImageKind::Cuda;
  artifact.target = "sm_80";
  artifact.image = kSource;
  Result<Artifact> compiled = compileSource(artifact, "sm_90");
  ASSERT_TRUE(compiled.ok()) << compiled.status().message();
  EXPECT_EQ(compiled->kind, ImageKind::Cubin);
  EXPECT_EQ(compiled->target, "sm_90");
  artifact.kind = ImageKind::Ptx;
  compiled = compileSource(artifact, "sm_90");
  ASSERT_TRUE(compiled.ok());
  EXPECT_EQ(compiled->kind, ImageKind::Ptx);
  EXPECT_EQ(compiled->image, kSource);
}

TEST(NvrtcTest, ThreadsCompileAtOnce) {
  if (!library())
    GTEST_SKIP() << "no NVRTC here";
  std::vector<std::string> images(4);
  std::vector<std::thread> threads;
  for (std::string &image : images)
    threads.emplace_back([&image] {
      Result<CudaCode> code = library()->compile(kSource, "scale.cu", "sm_90");
      image = code.ok() ? code->ptx : code.status().message();
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &image : images)
    EXPECT_EQ(image, images.front());
}

} // namespace
