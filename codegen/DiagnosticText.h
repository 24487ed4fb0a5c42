//===- DiagnosticText.h - Diagnostics as the text of an error ---*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR reports through a handler, the runtime returns a Status; between the two
// stands this collector.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_DIAGNOSTICTEXT_H
#define MAMBA_CODEGEN_DIAGNOSTICTEXT_H

#include "mlir/IR/Diagnostics.h"
#include "runtime/Status.h"

#include <string>

namespace mlir::ssm {

/// While it lives, errors and their notes become lines of text,
/// "file:line:column: message" and "file:line:column: note: message", instead
/// of being printed. Warnings and remarks are dropped.
class DiagnosticText {
public:
  explicit DiagnosticText(MLIRContext *context);

  /// The lines so far, without the last newline.
  StringRef text() const { return StringRef(lines).rtrim('\n'); }

  /// CompileError with text(), or with `fallback` if nothing was reported.
  mamba::Status toStatus(StringRef fallback) const;

private:
  void add(Diagnostic &diagnostic);

  std::string lines;
  ScopedDiagnosticHandler handler;
};

/// "file:line:column" of the first position in `location`; empty for none.
std::string positionOf(Location location);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_DIAGNOSTICTEXT_H
