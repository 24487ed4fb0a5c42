//===- mamba-lsp-server.cpp - Editors' language server --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's language server with this project's dialects: errors, definitions and
// hover text in any editor that speaks the protocol.
//
//===----------------------------------------------------------------------===//

#include "codegen/Registration.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::ssm::registerAllDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
