//===- SimtTesting.cpp - Kernels by hand on the simt device ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/simt/SimtTesting.h"

#include "runtime/jit/ObjectLinker.h"

using namespace mamba;
using namespace mamba::test;

SimtProgram::SimtProgram(const std::string &body, const SimtLaunch &launch,
                         const std::string &globals)
    : kernel_{body, launch.blocks, launch.threads, launch.sharedBytes, globals},
      options_(launch.options) {}

SimtProgram::SimtProgram(std::string_view name)
    : planted_(*findPlanted(name)), kernel_(planted_->kernel) {}

Status SimtProgram::load() {
  MAMBA_RETURN_IF_ERROR(registerObjectLinker());
  MAMBA_ASSIGN_OR_RETURN(device_, SimtDevice::create(options_));
  MAMBA_ASSIGN_OR_RETURN(loaded_, loadOn(*device_, kernel_, "test.mlir"));
  return Status();
}

Status SimtProgram::run(const std::vector<float> &x, size_t outputs) {
  if (!loaded_)
    MAMBA_RETURN_IF_ERROR(load());
  return runOn(device_, *loaded_, kernel_, x, outputs, &y);
}

Status SimtProgram::run() { return run(planted_->x(), planted_->outputs); }

void mamba::test::expectReport(const Status &status,
                               std::vector<std::string> parts) {
  EXPECT_EQ(status.code(), StatusCode::Internal) << status.message();
  for (const std::string &part : parts)
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "no '" << part << "' in: " << status.message();
}
