//===- CudaSource.cpp - Lowered kernels to CUDA C++ -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/CudaSource.h"

#include "codegen/cuda/FileHead.h"
#include "codegen/cuda/HostLauncher.h"
#include "codegen/cuda/KernelWriter.h"
#include "codegen/gpu/Ptx.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cuda;

namespace {
/// Arithmetic on halves by way of f32. One operation rounded to f32 and then
/// to a half is that operation rounded to a half: f32 has more than twice the
/// digits.
struct WidenHalves : PassWrapper<WidenHalves, OperationPass<gpu::GPUModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WidenHalves)

  void runOnOperation() override {
    Builder b(&getContext());
    TypeConverter converter;
    arith::populateEmulateUnsupportedFloatsConversions(
        converter, {b.getF16Type(), b.getBF16Type()}, b.getF32Type());
    RewritePatternSet patterns(&getContext());
    arith::populateEmulateUnsupportedFloatsPatterns(patterns, converter);
    ConversionTarget target(getContext());
    arith::populateEmulateUnsupportedFloatsLegality(target, converter);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

static LogicalResult prepare(ModuleOp module) {
  PassManager passes(module.getContext());
  OpPassManager &kernels = passes.nest<gpu::GPUModuleOp>();
  addMathPasses(kernels);
  kernels.addPass(std::make_unique<WidenHalves>());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  return passes.run(module);
}

FailureOr<std::string> mlir::ssm::translateToCuda(ModuleOp module,
                                                  mamba::Artifact &artifact,
                                                  StringRef formula) {
  if (failed(prepare(module)))
    return failure();
  auto kernelModule = *module.getOps<gpu::GPUModuleOp>().begin();
  Names names;
  Prelude prelude;
  std::string kernels;
  for (mamba::LaunchSpec &launch : artifact.launches) {
    auto kernel = kernelModule.lookupSymbol<gpu::GPUFuncOp>(launch.entry);
    launch.entry = names.take(launch.entry);
    FailureOr<std::string> text =
        KernelWriter(kernel, artifact, launch, launch.entry, prelude).run();
    if (failed(text))
      return failure();
    kernels += (kernels.empty() ? "" : "\n") + *text;
  }
  return fileHead(artifact, formula) + "\n" + prelude.text() + kernels +
         hostLauncher(artifact, names);
}
