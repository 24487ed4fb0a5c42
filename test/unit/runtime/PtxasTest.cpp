//===- PtxasTest.cpp - PTX to machine code by NVIDIA's assembler ----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Those that need the program are skipped where it is not installed; others
// have scripts in its place.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Ptxas.h"

#include "test/unit/runtime/FakePtxas.h"

using namespace mamba;
using namespace mamba::cuda;
using namespace mamba::test;

namespace {

/// The program, or null where there is none.
const Ptxas *program() {
  Result<const Ptxas *> ptxas = Ptxas::get();
  return ptxas.ok() ? *ptxas : nullptr;
}

TEST(PtxasTest, ErrorListsAllPaths) {
  std::string paths[] = {"/nonexistent/ptxas", "/bin/false", "/bin/true"};
  Status status = Ptxas::load(paths).status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  expectTexts(status, {"cannot run '/nonexistent/ptxas': No such file",
                       "'/bin/false --version' ends with exit status 1",
                       "'/bin/true --version' names no release", "MAMBA_PTXAS",
                       "pip install nvidia-cuda-nvcc"});
}

TEST(PtxasTest, TheFirstThatRunsIsTaken) {
  FakePtxas fake("exit 1", "12.8");
  std::string paths[] = {"/nonexistent/ptxas", fake.path(), "/bin/false"};
  Result<std::unique_ptr<Ptxas>> ptxas = Ptxas::load(paths);
  ASSERT_TRUE(ptxas.ok()) << ptxas.status().message();
  EXPECT_EQ((*ptxas)->version(), "ptxas 12.8 (" + fake.path() + ")");
}

TEST(PtxasTest, AssemblesForOtherArchitectures) {
  if (!program())
    GTEST_SKIP() << "no ptxas here";
  for (const char *target : {"sm_80", "sm_90", "sm_120"}) {
    Result<std::string> cubin = program()->assemble(kOtherPtx, "other", target);
    ASSERT_TRUE(cubin.ok()) << cubin.status().message();
    EXPECT_EQ(cubin->substr(0, 4), "\x7f"
                                   "ELF");
  }
}

TEST(PtxasTest, ErrorHasTheLog) {
  if (!program())
    GTEST_SKIP() << "no ptxas here";
  Status status =
      program()
          ->assemble(std::string(kOtherPtx) + "bad", "bad.ptx", "sm_90")
          .status();
  EXPECT_EQ(status.code(), StatusCode::CompileError);
  expectTexts(status, {program()->version(), "bad.ptx", "sm_90", "line 5"});
}

TEST(PtxasTest, ErrorNamesTheArchitecture) {
  if (!program())
    GTEST_SKIP() << "no ptxas here";
  for (const char *target : {"sm_7", "sm_95", "sm_9000", "gfx90a", ""}) {
    Status status = program()->assemble(kOtherPtx, "other", target).status();
    EXPECT_EQ(status.code(), StatusCode::Unsupported) << target;
    expectTexts(status, {target});
  }
}

/// What is said of kOtherPtx by a script that does `others` with it.
Status failureOf(const std::string &others) {
  FakePtxas fake(others);
  Status status =
      Ptxas(fake.path(), 13000).assemble(kOtherPtx, "other", "sm_90").status();
  expectTexts(status, {"ptxas 13.0 (" + fake.path() + ")", "other", "sm_90"});
  return status;
}

TEST(PtxasTest, FailuresOfTheProgramAreErrors) {
  struct {
    const char *others;
    std::string_view required;
  } cases[] = {
      {"echo too bad >&2; exit 3", "(exit status 3); its log:\ntoo bad"},
      {"printf '\\177ELF'; kill -9 $$", "(signal 9 (Killed))"},
      {"echo rubbish", "found 8 bytes, required is an ELF file"},
      {"exit 0", "found 0 bytes, required is an ELF file"}};
  for (auto [others, required] : cases) {
    Status status = failureOf(others);
    EXPECT_EQ(status.code(), StatusCode::CompileError) << others;
    expectTexts(status, {required});
  }
}

TEST(PtxasTest, APathThatIsMissingIsNamed) {
  Status status = Ptxas("/nonexistent/ptxas", 13000)
                      .assemble(kOtherPtx, "other", "sm_90")
                      .status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  expectTexts(status, {"cannot run '/nonexistent/ptxas'"});
}

TEST(PtxasTest, OlderPtxasDoesNotKnowNewPtx) {
  FakePtxas fake("exit 1", "11.8");
  Status status =
      Ptxas(fake.path(), 11080).assemble(kOtherPtx, "other", "sm_90").status();
  EXPECT_EQ(status.code(), StatusCode::Unsupported);
  expectTexts(status, {"ptxas 11.8", "up to version 7.8",
                       "other is of version 8.0", "MAMBA_PTXAS"});
}

} // namespace
