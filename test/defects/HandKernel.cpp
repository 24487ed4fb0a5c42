//===- HandKernel.cpp - Kernels written by hand, on any device ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/defects/HandKernel.h"

#include "codegen/DiagnosticText.h"
#include "codegen/Registration.h"
#include "codegen/simt/CompileSimt.h"
#include "runtime/Buffer.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>

using namespace mamba;
using namespace mamba::test;
using mlir::ssm::simulatedChip;

static const char *const kFrame = R"(module attributes {gpu.container_module} {
gpu.module @kernels {
llvm.mlir.global external @ssm_shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
GLOBALS
gpu.func @kernel(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>) kernel {
%thread = gpu.thread_id x
%i = arith.index_cast %thread : index to i32
%block = gpu.block_id x
%b = arith.index_cast %block : index to i32
%shared = llvm.mlir.addressof @ssm_shared : !llvm.ptr<3>
BODY
gpu.return
}
}
}
)";

std::string HandKernel::text() const {
  std::string text = kFrame;
  text.replace(text.find("BODY"), 4, body);
  text.replace(text.find("GLOBALS"), 7, globals);
  return text;
}

std::string HandKernel::here(const std::string &file) const {
  std::string module = text();
  auto mark = module.begin() + module.find("// HERE");
  auto line = std::count(module.begin(), mark, '\n') + 1;
  return file + ":" + std::to_string(line) + ":";
}

Result<std::string> mamba::test::codeFor(const std::string &architecture,
                                         const HandKernel &kernel,
                                         const std::string &file) {
  mlir::DialectRegistry registry;
  mlir::ssm::registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::ssm::DiagnosticText diagnostics(&context);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      kernel.text(), mlir::ParserConfig(&context), file);
  if (!module)
    return diagnostics.toStatus("not a module");
  auto simulated = simulatedChip(architecture);
  auto target =
      mlir::ssm::lookupPtxTarget(*module, simulated.value_or(architecture));
  if (failed(target))
    return diagnostics.toStatus("no target");
  mlir::FailureOr<std::string> code =
      simulated ? mlir::ssm::compileSimtModule(*module, *target)
                : mlir::ssm::compileGpuModule(*module, *target);
  if (failed(code))
    return diagnostics.toStatus("compiling failed without a message");
  return std::move(*code);
}

Result<std::shared_ptr<LoadedKernel>>
mamba::test::loadOn(Device &device, const HandKernel &kernel,
                    const std::string &file) {
  const DeviceInfo &info = device.info();
  Artifact artifact;
  MAMBA_ASSIGN_OR_RETURN(artifact.image,
                         codeFor(info.architecture, kernel, file));
  artifact.name = "test";
  artifact.target = info.target;
  artifact.kind =
      simulatedChip(info.architecture) ? ImageKind::Object : ImageKind::Ptx;
  artifact.tensors = {{"x", DType::F32, {}}, {"y", DType::F32, {}}};
  artifact.numInputs = 1;
  artifact.numResults = 1;
  LaunchSpec spec;
  spec.entry = "kernel";
  spec.blockSize = kernel.threads;
  spec.sharedBytes = kernel.sharedBytes;
  spec.args = {{KernelArg::Kind::Pointer, 0, 0},
               {KernelArg::Kind::Pointer, 1, 0}};
  artifact.launches = {spec};
  return device.load(artifact);
}

Status mamba::test::runOn(const std::shared_ptr<Device> &device,
                          LoadedKernel &loaded, const HandKernel &kernel,
                          const std::vector<float> &x, size_t outputs,
                          std::vector<float> *y) {
  auto bytesOf = [](size_t count) {
    return static_cast<int64_t>(count * sizeof(float));
  };
  MAMBA_ASSIGN_OR_RETURN(DeviceBuffer in,
                         DeviceBuffer::allocate(device, bytesOf(x.size())));
  MAMBA_ASSIGN_OR_RETURN(DeviceBuffer out,
                         DeviceBuffer::allocate(device, bytesOf(outputs)));
  MAMBA_RETURN_IF_ERROR(
      device->copyIn(in.data(), x.data(), in.bytes(), nullptr));
  const int64_t args[] = {reinterpret_cast<int64_t>(in.data()),
                          reinterpret_cast<int64_t>(out.data())};
  Status status = loaded.launch(0, kernel.blocks, args, nullptr);
  if (status.ok())
    status = device->synchronize();
  if (!y)
    return status;
  y->resize(outputs);
  MAMBA_RETURN_IF_ERROR(
      device->copyOut(y->data(), out.data(), out.bytes(), nullptr));
  return status;
}
