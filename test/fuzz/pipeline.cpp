//===- pipeline.cpp - Fuzzes passes in any order --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pass gets any module that verifies. It leaves one that verifies, or it
// fails and says where.
//
//===----------------------------------------------------------------------===//

#include "codegen/Pipeline.h"
#include "codegen/Bytecode.h"
#include "codegen/Passes.h"
#include "codegen/SourceFile.h"
#include "passes/Passes.h"
#include "test/fuzz/FuzzModule.h"
#include "test/fuzz/PipelineInput.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

#include <algorithm>
#include <cstring>

using namespace mamba;
using namespace mamba::test;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {

/// Fails where a pass that says it succeeded left IR that does not verify.
class VerifyAfterPass : public mlir::PassInstrumentation {
public:
  explicit VerifyAfterPass(const mlir::ssm::DiagnosticText &diagnostics)
      : diagnostics(diagnostics) {}

  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override {
    if (failed(mlir::verify(op)))
      fail("invalid IR from " + pass->getName().str(), diagnostics.text());
  }

private:
  const mlir::ssm::DiagnosticText &diagnostics;
};

} // namespace

/// The project's own passes, and those that its pipelines run between them:
/// others of MLIR are MLIR's to test, and some of them write files.
static void registerPasses() {
  mlir::ssm::registerSSMPasses();
  mlir::ssm::registerSSMCodegenPasses();
  mlir::ssm::registerPipelines();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
}

static void runPipeline(mlir::ModuleOp module, llvm::StringRef pipeline) {
  mlir::MLIRContext *context = module.getContext();
  mlir::PassManager passes(context, mlir::ModuleOp::getOperationName());
  mlir::ssm::DiagnosticText diagnostics(context);
  if (failed(mlir::parsePassPipeline(pipeline, passes, llvm::nulls())))
    return;
  passes.enableVerifier(false);
  passes.addInstrumentation(std::make_unique<VerifyAfterPass>(diagnostics));
  if (failed(passes.run(module)))
    checkLocated(diagnostics.text());
}

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  registerPasses();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  PipelineInput input =
      PipelineInput::parse({reinterpret_cast<const char *>(data), size});
  if (input.pipeline.empty() || mlir::ssm::isBytecodeText(input.module) ||
      mlir::ssm::findUnreadable(input.module))
    return -1;
  Module module = parseModule(input.module, contextOfUnit());
  if (module)
    runPipeline(*module, input.pipeline);
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  numerics::Random random(seed);
  // Bytes, too: the dictionary is libFuzzer's.
  if (random.below(8) == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  PipelineInput input =
      PipelineInput::parse({reinterpret_cast<const char *>(data), size});
  change(input, random);
  std::string text = input.text();
  size_t length = std::min(text.size(), maxSize);
  std::memcpy(data, text.data(), length);
  return length;
}
