//===- DiagnosticText.cpp - Diagnostics as the text of an error -----------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/DiagnosticText.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>

using namespace mlir;
using namespace mlir::ssm;

std::string mlir::ssm::positionOf(Location location) {
  std::string position;
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    // The text of an attribute counts as the name of its file.
    std::string name = file.getFilename().str();
    std::replace(name.begin(), name.end(), '\n', ' ');
    position = name + ":" + std::to_string(file.getLine()) + ":" +
               std::to_string(file.getColumn());
    return WalkResult::interrupt();
  });
  return position;
}

/// What a message has after its first line (the IR that notes show) is for
/// compiler developers and dropped.
static void appendLine(std::string &lines, Location location, StringRef kind,
                       StringRef message) {
  std::string position = positionOf(location);
  lines += position + (position.empty() ? "" : ": ") + kind.str() +
           message.split('\n').first.str() + "\n";
}

DiagnosticText::DiagnosticText(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) { add(diagnostic); }) {}

void DiagnosticText::add(Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
    return;
  appendLine(lines, diagnostic.getLocation(), "", diagnostic.str());
  for (Diagnostic &note : diagnostic.getNotes())
    if (!StringRef(note.str()).starts_with("see current operation"))
      appendLine(lines, note.getLocation(), "note: ", note.str());
}

mamba::Status DiagnosticText::toStatus(StringRef fallback) const {
  return mamba::Status(mamba::StatusCode::CompileError,
                       (text().empty() ? fallback : text()).str());
}
