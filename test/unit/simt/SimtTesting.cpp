//===- SimtTesting.cpp - Kernels by hand on the simt device ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/simt/SimtTesting.h"

#include "codegen/DiagnosticText.h"
#include "codegen/Registration.h"
#include "codegen/cpu/ObjectTarget.h"
#include "codegen/simt/CompileSimt.h"
#include "runtime/jit/ObjectLinker.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>

using namespace mamba;
using namespace mamba::test;

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

SimtProgram::SimtProgram(const std::string &body, const SimtLaunch &launch,
                         const std::string &globals)
    : launch_(launch), text_(kFrame) {
  text_.replace(text_.find("BODY"), 4, body);
  text_.replace(text_.find("GLOBALS"), 7, globals);
}

std::string SimtProgram::here() const {
  size_t mark = text_.find("// HERE");
  auto line = std::count(text_.begin(), text_.begin() + mark, '\n') + 1;
  return "test.mlir:" + std::to_string(line) + ":";
}

Status SimtProgram::compile() {
  mlir::DialectRegistry registry;
  mlir::ssm::registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::ssm::DiagnosticText diagnostics(&context);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      text_, mlir::ParserConfig(&context), "test.mlir");
  if (!module)
    return diagnostics.toStatus("not a module");
  auto target = mlir::ssm::lookupPtxTarget(*module, "sm_90");
  auto object = mlir::ssm::compileSimtModule(*module, *target);
  if (failed(object))
    return diagnostics.toStatus("compiling failed without a message");
  Artifact artifact;
  artifact.name = "test";
  artifact.target = "simt-sm_90 " + mlir::ssm::ObjectTarget::host().name();
  artifact.image = std::move(*object);
  artifact.tensors = {{"x", DType::F32, {}}, {"y", DType::F32, {}}};
  artifact.numInputs = 1;
  artifact.numResults = 1;
  LaunchSpec spec;
  spec.entry = "kernel";
  spec.blockSize = launch_.threads;
  spec.sharedBytes = launch_.sharedBytes;
  spec.args = {{KernelArg::Kind::Pointer, 0, 0},
               {KernelArg::Kind::Pointer, 1, 0}};
  artifact.launches = {spec};
  MAMBA_RETURN_IF_ERROR(registerObjectLinker());
  MAMBA_ASSIGN_OR_RETURN(device_, SimtDevice::create(launch_.options));
  MAMBA_ASSIGN_OR_RETURN(kernel_, device_->load(artifact));
  return Status();
}

Status SimtProgram::run(const std::vector<float> &x, size_t outputs) {
  if (!kernel_)
    MAMBA_RETURN_IF_ERROR(compile());
  auto bytesOf = [](size_t count) {
    return static_cast<int64_t>(count * sizeof(float));
  };
  MAMBA_ASSIGN_OR_RETURN(DeviceBuffer in,
                         DeviceBuffer::allocate(device_, bytesOf(x.size())));
  MAMBA_ASSIGN_OR_RETURN(DeviceBuffer out,
                         DeviceBuffer::allocate(device_, bytesOf(outputs)));
  MAMBA_RETURN_IF_ERROR(
      device_->copyIn(in.data(), x.data(), in.bytes(), nullptr));
  const int64_t args[] = {reinterpret_cast<int64_t>(in.data()),
                          reinterpret_cast<int64_t>(out.data())};
  Status status = kernel_->launch(0, launch_.blocks, args, nullptr);
  y.resize(outputs);
  MAMBA_RETURN_IF_ERROR(
      device_->copyOut(y.data(), out.data(), out.bytes(), nullptr));
  return status;
}

void mamba::test::expectReport(const Status &status,
                               std::vector<std::string> parts) {
  EXPECT_EQ(status.code(), StatusCode::Internal) << status.message();
  for (const std::string &part : parts)
    EXPECT_NE(status.message().find(part), std::string::npos)
        << "no '" << part << "' in: " << status.message();
}
