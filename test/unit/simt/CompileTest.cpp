//===- CompileTest.cpp - What the simulator is given to run ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Pipeline.h"
#include "codegen/Registration.h"
#include "codegen/gpu/Ptx.h"
#include "runtime/Buffer.h"
#include "runtime/jit/ObjectLinker.h"
#include "test/unit/simt/SimtTesting.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/Module.h"

using namespace mamba;
using namespace mamba::test;

//===----------------------------------------------------------------------===//
// The code
//===----------------------------------------------------------------------===//

static const char *const kLayer = R"(
func.func @layer(%u: tensor<?x?x?xbf16>, %B: tensor<?x?x1x4xf32>) -> tensor<?x?x?xbf16> {
  %y = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xbf16>, %w = %B[b, l, g, n] : tensor<?x?x1x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xbf16>) {
    %f = arith.extf %x : bf16 to f32
    %a = math.exp %w : f32
    %v = arith.mulf %f, %w : f32
    %h, %last = ssm.recurrence %a, %v : f32
    %s = ssm.sum %h over n : f32
    %r = arith.truncf %s : f32 to bf16
    ssm.yield %r : bf16
  }
  return %y : tensor<?x?x?xbf16>
}
)";

/// The LLVM IR that becomes PTX, without debug information.
static std::string llvmOf(bool keepsLocations) {
  mlir::DialectRegistry registry;
  mlir::ssm::registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      kLayer, mlir::ParserConfig(&context), "layer.mlir");
  mlir::ssm::ScheduleRequest request;
  request.target = "sm_90";
  request.schedule = "#ssm.schedule<lanes = 4, items = 3, warps_l = 2>";
  mlir::PassManager passes(&context);
  mlir::ssm::addFusePasses(passes);
  mlir::ssm::addSchedulePass(passes, request);
  mlir::ssm::addLoweringPass(passes, request);
  EXPECT_TRUE(succeeded(passes.run(*module)));
  auto target = mlir::ssm::lookupPtxTarget(*module, "sm_90");
  llvm::LLVMContext llvmContext;
  auto code = mlir::ssm::lowerGpuModuleToLLVM(*module, *target, llvmContext,
                                              keepsLocations);
  EXPECT_TRUE(succeeded(code));
  llvm::StripDebugInfo(**code);
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*code)->print(stream, nullptr);
  return text;
}

/// Places in the source are known, and the code is the same to the letter.
TEST(Compile, LocationsChangeNoCode) {
  std::string plain = llvmOf(false);
  EXPECT_GT(plain.size(), 1000u);
  EXPECT_EQ(llvmOf(true), plain);
}

//===----------------------------------------------------------------------===//
// What it does not know
//===----------------------------------------------------------------------===//

static void expectRefusal(const std::string &body, const std::string &reason) {
  SimtProgram program(body, {});
  Status status = program.run({1}, 1);
  EXPECT_EQ(status.code(), StatusCode::CompileError);
  EXPECT_NE(status.message().find(program.here()), std::string::npos)
      << status.message();
  EXPECT_NE(status.message().find(reason), std::string::npos)
      << status.message();
}

TEST(Compile, UnknownIntrinsic) {
  expectRefusal(R"(
%v = llvm.load %x : !llvm.ptr<1> -> f32
%s = llvm.call_intrinsic "llvm.nvvm.sin.approx.ftz.f"(%v) : (f32) -> f32 // HERE
llvm.store %s, %y : f32, !llvm.ptr<1>
)",
                "the simulator does not know 'llvm.nvvm.sin.approx.ftz.f'");
}

TEST(Compile, InlinePtx) {
  expectRefusal(R"(
%v = llvm.load %x : !llvm.ptr<1> -> f32
%s = llvm.inline_asm has_side_effects "neg.f32 $0, $1;", "=f,f" %v : (f32) -> f32 // HERE
llvm.store %s, %y : f32, !llvm.ptr<1>
)",
                "inline PTX 'neg.f32 $0, $1;' can't be simulated");
}

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

TEST(Compile, DeviceFacts) {
  ASSERT_TRUE(registerObjectLinker().ok());
  auto device = SimtDevice::create({});
  ASSERT_TRUE(device.ok()) << device.status().message();
  EXPECT_EQ((*device)->name(), "simt");
  EXPECT_EQ((*device)->info().architecture, "simt-sm_90");
  EXPECT_TRUE((*device)->target().starts_with("simt-sm_90 "));
  EXPECT_EQ((*device)->info().warpSize, 32);
}

TEST(Compile, ForeignArtifacts) {
  ASSERT_TRUE(registerObjectLinker().ok());
  auto device = *SimtDevice::create({});
  Artifact artifact;
  artifact.name = "foreign";
  artifact.kind = ImageKind::Ptx;
  artifact.target = "sm_90";
  auto kernel = device->load(artifact);
  EXPECT_EQ(kernel.code(), StatusCode::Unsupported);
  EXPECT_NE(kernel.status().message().find("compile it for simt-sm_90"),
            std::string::npos)
      << kernel.status().message();
}

TEST(Compile, PointersOfTheHost) {
  auto device = *SimtDevice::create({});
  float host = 0;
  Status status = device->checkPointer(&host);
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  auto buffer = DeviceBuffer::allocate(device, 4);
  ASSERT_TRUE(buffer.ok());
  EXPECT_TRUE(device->checkPointer(buffer->data()).ok());
  EXPECT_EQ(Device::nameOf(buffer->data()), "simt");
  EXPECT_EQ(Device::nameOf(&host), "cpu");
}
