//===- AssemblerTest.cpp - PTX to machine code without a GPU --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which of the two makes the code, with scripts in the place of ptxas. Those
// that need nvJitLink are skipped where it is not installed.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Assembler.h"

#include "runtime/Warning.h"
#include "test/unit/runtime/FakePtxas.h"

using namespace mamba;
using namespace mamba::cuda;
using namespace mamba::test;

namespace {

std::vector<std::string> &warnings() {
  static std::vector<std::string> list;
  return list;
}

class AssemblerTest : public testing::Test {
protected:
  AssemblerTest() {
    warnings().clear();
    setWarningHandler(
        [](std::string_view text) { warnings().emplace_back(text); });
  }
  ~AssemblerTest() override { setWarningHandler(nullptr); }

  const Status noPtxas{StatusCode::NotFound, "no ptxas"};
  const Status noLinker{StatusCode::NotFound, "no nvJitLink"};
};

TEST_F(AssemblerTest, PtxasComesFirst) {
  FakePtxas fake("printf '\\177ELF of ptxas'");
  Ptxas ptxas(fake.path(), 13000);
  Assembler assembler(&ptxas, []() -> Result<const NvJitLink *> {
    ADD_FAILURE() << "nvJitLink is not needed";
    return Status(StatusCode::NotFound, "");
  });
  Result<std::string> cubin = assembler.assemble(kOtherPtx, "other", "sm_90");
  ASSERT_TRUE(cubin.ok()) << cubin.status().message();
  EXPECT_EQ(*cubin, "\x7f"
                    "ELF of ptxas");
  EXPECT_TRUE(warnings().empty());
}

TEST_F(AssemblerTest, WrongPtxIsNotTriedAgain) {
  FakePtxas fake("exit 1");
  Ptxas ptxas(fake.path(), 13000);
  Assembler assembler(&ptxas, []() -> Result<const NvJitLink *> {
    ADD_FAILURE() << "ptxas has said that the PTX is wrong";
    return Status(StatusCode::NotFound, "");
  });
  EXPECT_EQ(assembler.assemble(kOtherPtx, "other", "sm_90").code(),
            StatusCode::CompileError);
}

TEST_F(AssemblerTest, WithNeitherBothAreNamed) {
  Assembler assembler(noPtxas, [&] { return noLinker; });
  Status status = assembler.assemble(kOtherPtx, "other", "sm_90").status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  expectTexts(status, {"no ptxas", "no nvJitLink"});
}

TEST_F(AssemblerTest, AnOldPtxasAloneIsNamed) {
  FakePtxas fake("exit 1", "11.8");
  Ptxas ptxas(fake.path(), 11080);
  Assembler assembler(&ptxas, [&] { return noLinker; });
  Status status = assembler.assemble(kOtherPtx, "other", "sm_90").status();
  EXPECT_EQ(status.code(), StatusCode::Unsupported);
  expectTexts(status, {"ptxas 11.8", "PTX up to version 7.8", "no nvJitLink"});
}

TEST_F(AssemblerTest, NvJitLinkIsTakenElse) {
  if (!NvJitLink::get().ok())
    GTEST_SKIP() << "no nvJitLink here";
  FakePtxas fake("exit 1", "11.8");
  Ptxas old(fake.path(), 11080);
  for (Result<const Ptxas *> ptxas :
       {Result<const Ptxas *>(noPtxas), Result<const Ptxas *>(&old)}) {
    warnings().clear();
    Assembler assembler(ptxas, [] { return NvJitLink::get(); });
    for (int i = 0; i < 2; ++i) {
      Result<std::string> cubin =
          assembler.assemble(kOtherPtx, "other", "sm_90");
      ASSERT_TRUE(cubin.ok()) << cubin.status().message();
      EXPECT_GT(cubin->size(), 100u);
    }
    ASSERT_EQ(warnings().size(), 1u);
    EXPECT_NE(warnings()[0].find(ptxas.ok() ? "ptxas 11.8" : "no ptxas"),
              std::string::npos)
        << warnings()[0];
  }
}

TEST_F(AssemblerTest, UnknownArchitecturesAreNamed) {
  const Assembler &assembler = Assembler::get();
  if (!assembler.assemble(kOtherPtx, "other", "sm_90").ok())
    GTEST_SKIP() << "neither ptxas nor nvJitLink here";
  for (const char *target : {"sm_7", "sm_95", "gfx90a", ""}) {
    Status status = assembler.assemble(kOtherPtx, "other", target).status();
    EXPECT_EQ(status.code(), StatusCode::Unsupported) << target;
    expectTexts(status, {target});
  }
}

} // namespace
