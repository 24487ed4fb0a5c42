//===- bytecode.cpp - Fuzzes modules as bytecode --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's reader runs in a process of its own, so what it reaches is not seen
// here: only what becomes of the text that it gives.
//
//===----------------------------------------------------------------------===//

#include "codegen/Bytecode.h"
#include "codegen/SourceFile.h"
#include "test/fuzz/FuzzModule.h"

using namespace mamba;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  if (!mlir::ssm::isBytecodeText(bytes))
    return -1;
  Result<std::string> text = mlir::ssm::textOfBytecode(bytes, "fuzz.mlir");
  if (!text.ok()) {
    test::checkLocated(text.status().message());
    return 0;
  }
  if (mlir::ssm::findUnreadable(*text))
    return 0;
  if (test::Module module = test::parseModule(*text, test::contextOfUnit()))
    test::checkRoundTrips(*module);
  return 0;
}
