//===- NvJitLinkTest.cpp - PTX to machine code without a GPU --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Those that need the library are skipped where it is not installed.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/NvJitLink.h"

#include <gtest/gtest.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/// The library keeps a part of what it refuses.
extern "C" const char *__lsan_default_suppressions() {
  return "leak:libnvJitLink.so";
}
#endif
#endif

using namespace mamba;
using namespace mamba::cuda;

namespace {

constexpr const char *kPtx = ".version 7.0\n.target sm_80\n.address_size 64\n"
                             ".visible .entry nothing() { ret; }\n";

/// The library, or null where there is none.
const NvJitLink *library() {
  Result<const NvJitLink *> linker = NvJitLink::get();
  return linker.ok() ? *linker : nullptr;
}

TEST(NvJitLinkTest, ErrorListsAllPaths) {
  std::string paths[] = {"/nonexistent/libnvJitLink.so.13", "libm.so.6"};
  Status status = NvJitLink::load(paths).status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  for (const char *text :
       {"/nonexistent/libnvJitLink.so.13: ",
        "libm.so.6: has no function nvJitLink", "MAMBA_LIBNVJITLINK",
        "pip install nvidia-nvjitlink"})
    EXPECT_NE(status.message().find(text), std::string::npos)
        << status.message();
}

TEST(NvJitLinkTest, AssemblesForOtherArchitectures) {
  if (!library())
    GTEST_SKIP() << "no nvJitLink here";
  for (const char *target : {"sm_80", "sm_90", "sm_120"}) {
    Result<std::string> cubin = library()->assemble(kPtx, "nothing", target);
    ASSERT_TRUE(cubin.ok()) << cubin.status().message();
    EXPECT_EQ(cubin->substr(0, 4), "\x7f"
                                   "ELF");
  }
}

TEST(NvJitLinkTest, ErrorHasTheLog) {
  if (!library())
    GTEST_SKIP() << "no nvJitLink here";
  Status status = library()
                      ->assemble(std::string(kPtx) + "bad", "bad.ptx", "sm_90")
                      .status();
  EXPECT_EQ(status.code(), StatusCode::CompileError);
  for (const char *text : {"bad.ptx", "log"})
    EXPECT_NE(status.message().find(text), std::string::npos)
        << status.message();
}

TEST(NvJitLinkTest, ErrorNamesTheArchitecture) {
  if (!library())
    GTEST_SKIP() << "no nvJitLink here";
  for (const char *target : {"sm_7", "sm_95", "sm_9000", "gfx90a", ""}) {
    Status status = library()->assemble(kPtx, "nothing", target).status();
    EXPECT_EQ(status.code(), StatusCode::Unsupported) << target;
    EXPECT_NE(status.message().find(target), std::string::npos)
        << status.message();
  }
}

} // namespace
