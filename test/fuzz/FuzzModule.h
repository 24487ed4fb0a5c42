//===- FuzzModule.h - Bytes as a module of MLIR -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the fuzzers of the compiler share: modules are read as mamba-opt reads
// them, and what is refused must be refused with a place in the source.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_FUZZ_FUZZMODULE_H
#define MAMBA_TEST_FUZZ_FUZZMODULE_H

#include "codegen/DiagnosticText.h"
#include "codegen/Registration.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <memory>
#include <string>

namespace mamba::test {

using Module = mlir::OwningOpRef<mlir::ModuleOp>;

/// Ends the process: the fuzzer keeps the bytes that led here.
[[noreturn]] inline void fail(llvm::StringRef what, llvm::StringRef details) {
  llvm::errs() << "fuzz: " << what << "\n" << details << "\n";
  std::abort();
}

/// A context with all that mamba-opt knows. It is another one from time to
/// time, because what a context has seen once it keeps.
inline mlir::MLIRContext &contextOfUnit() {
  constexpr unsigned kUnits = 500;
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned units = 0;
  if (units++ % kUnits == 0) {
    mlir::DialectRegistry registry;
    mlir::ssm::registerAllDialects(registry);
    context = std::make_unique<mlir::MLIRContext>(
        registry, mlir::MLIRContext::Threading::DISABLED);
  }
  return *context;
}

/// Fails unless something was reported, and each error with its place: one in
/// the file, or in the text of an option.
inline void checkLocated(llvm::StringRef errors) {
  if (errors.empty())
    fail("refused without a message", "");
  static const llvm::Regex place(":[0-9]+:[0-9]+: ");
  llvm::SmallVector<llvm::StringRef> lines;
  errors.split(lines, '\n');
  for (llvm::StringRef line : lines)
    if (!place.match(line) && !line.starts_with("note: "))
      fail("an error without its place:", line);
}

/// The module that the text `source` holds; null where it is refused.
inline Module parseModule(const std::string &source,
                          mlir::MLIRContext &context) {
  mlir::ssm::DiagnosticText diagnostics(&context);
  Module module = mlir::parseSourceString<mlir::ModuleOp>(
      source, mlir::ParserConfig(&context), "fuzz.mlir");
  // An op may say that it has no place.
  if (!module && !llvm::StringRef(source).contains("loc(unknown)"))
    checkLocated(diagnostics.text());
  return module;
}

inline std::string textOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

inline std::string bytecodeOf(mlir::ModuleOp module) {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  if (failed(mlir::writeBytecodeToFile(module, stream)))
    fail("not written as bytecode", textOf(module));
  return bytes;
}

/// Fails unless `written`, which stands for `module`, reads as the same.
inline void checkReadsAs(const std::string &written, mlir::ModuleOp module) {
  mlir::ssm::DiagnosticText diagnostics(module.getContext());
  Module again = mlir::parseSourceString<mlir::ModuleOp>(
      written, mlir::ParserConfig(module.getContext()), "written.mlir");
  if (!again)
    fail("refused as it was written", diagnostics.text());
  if (textOf(*again) != textOf(module))
    fail("read as another module", textOf(module) + "\n" + textOf(*again));
}

/// Writes `module` in both forms and reads them.
inline void checkRoundTrips(mlir::ModuleOp module) {
  checkReadsAs(textOf(module), module);
  checkReadsAs(bytecodeOf(module), module);
}

} // namespace mamba::test

#endif // MAMBA_TEST_FUZZ_FUZZMODULE_H
