//===- mamba-opt.cpp - The pass driver ------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Registration.h"
#include "codegen/SourceFile.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ProgramStack.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;

static LogicalResult run(int argc, char **argv) {
  DialectRegistry registry;
  ssm::registerAllDialects(registry);
  ssm::registerAllPasses();
  auto [inputPath, outputPath] = registerAndParseCLIOptions(
      argc, argv, "mamba-mlir's pass driver\n", registry);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  // These read no input.
  if (config.shouldShowDialects() || config.shouldListPasses())
    return MlirOptMain(argc, argv, inputPath, outputPath, registry);

  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> source =
      ssm::openSource(inputPath, error);
  std::unique_ptr<llvm::ToolOutputFile> output;
  if (source)
    output = openOutputFile(outputPath, &error);
  if (!output) {
    llvm::errs() << error << "\n";
    return failure();
  }
  LogicalResult result =
      MlirOptMain(output->os(), std::move(source), registry, config);
  output->os().flush();
  if (output->os().has_error()) {
    llvm::errs() << "cannot write output file '" << outputPath
                 << "': " << output->os().error().message() << "\n";
    // Else the stream ends the process.
    output->os().clear_error();
    return failure();
  }
  if (succeeded(result))
    output->keep();
  return result;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  LogicalResult result = failure();
  llvm::runOnNewStack(ssm::kToolStackSize, [&] { result = run(argc, argv); });
  return asMainReturnCode(result);
}
