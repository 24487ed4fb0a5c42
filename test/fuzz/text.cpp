//===- text.cpp - Fuzzes modules as text ----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Bytecode.h"
#include "codegen/SourceFile.h"
#include "test/fuzz/FuzzModule.h"

using namespace mamba;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  // Bytecode has a fuzzer of its own; tools refuse the rest themselves.
  if (mlir::ssm::isBytecodeText(text) || mlir::ssm::findUnreadable(text))
    return -1;
  if (test::Module module = test::parseModule(text, test::contextOfUnit()))
    test::checkRoundTrips(*module);
  return 0;
}
