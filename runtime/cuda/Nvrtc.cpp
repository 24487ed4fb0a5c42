//===- Nvrtc.cpp - CUDA C++ compiled at run time --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Nvrtc.h"

#include "runtime/Environment.h"
#include "runtime/Warning.h"
#include "runtime/cuda/OpenLibrary.h"
#include "runtime/cuda/ToolkitPaths.h"

#include <fmt/format.h>
#include <utility>
#include <vector>

namespace mamba::cuda {

namespace {

constexpr int kCompilationFailed = 6; // NVRTC_ERROR_COMPILATION

/// Nothing is fused that the source doesn't fuse: it decides the results' bits.
constexpr const char *kOptions[] = {"--fmad=false", "--std=c++17"};

} // namespace

/// Fills the function pointers; the name of a missing one, or null.
const char *Nvrtc::resolve(void *library) {
  const std::pair<const char *, void *> symbols[] = {
#define MAMBA_NVRTC_SYMBOL(name) {#name, &name}
      MAMBA_NVRTC_SYMBOL(nvrtcVersion),
      MAMBA_NVRTC_SYMBOL(nvrtcGetErrorString),
      MAMBA_NVRTC_SYMBOL(nvrtcCreateProgram),
      MAMBA_NVRTC_SYMBOL(nvrtcDestroyProgram),
      MAMBA_NVRTC_SYMBOL(nvrtcCompileProgram),
      MAMBA_NVRTC_SYMBOL(nvrtcGetPTXSize),
      MAMBA_NVRTC_SYMBOL(nvrtcGetPTX),
      MAMBA_NVRTC_SYMBOL(nvrtcGetCUBINSize),
      MAMBA_NVRTC_SYMBOL(nvrtcGetCUBIN),
      MAMBA_NVRTC_SYMBOL(nvrtcGetProgramLogSize),
      MAMBA_NVRTC_SYMBOL(nvrtcGetProgramLog),
#undef MAMBA_NVRTC_SYMBOL
  };
  return resolveAll(library, symbols);
}

Result<std::unique_ptr<Nvrtc>> Nvrtc::load(std::span<const std::string> paths) {
  auto nvrtc = std::make_unique<Nvrtc>();
  MAMBA_ASSIGN_OR_RETURN(
      nvrtc->path_,
      openFirst(
          paths, [&](void *library) { return nvrtc->resolve(library); },
          "NVIDIA's compiler library NVRTC was not found",
          "It comes with the CUDA toolkit, or with 'pip install "
          "nvidia-cuda-nvrtc'. If it is elsewhere, set MAMBA_LIBNVRTC to its "
          "path; the nvptx back end needs no such library."));
  return nvrtc;
}

Result<const Nvrtc *> Nvrtc::get() {
  return loadOnce<Nvrtc>([] {
    return libraryPaths(Environment::get().libnvrtc, "libnvrtc.so",
                        "cuda_nvrtc");
  });
}

std::string Nvrtc::version() const {
  int major = 0, minor = 0;
  nvrtcVersion(&major, &minor);
  return fmt::format("nvrtc {}.{}", major, minor);
}

Status Nvrtc::check(int result, const char *call) const {
  if (result == 0)
    return Status();
  return Status(StatusCode::Unsupported,
                fmt::format("{} failed: {} ({}, {})", call,
                            nvrtcGetErrorString(result), version(), path_));
}

Result<std::string> Nvrtc::read(NvrtcProgram *program, const char *call,
                                int (*size)(NvrtcProgram *, size_t *),
                                int (*get)(NvrtcProgram *, char *)) const {
  size_t bytes = 0;
  MAMBA_RETURN_IF_ERROR(check(size(program, &bytes), call));
  std::string text(bytes, '\0');
  MAMBA_RETURN_IF_ERROR(check(get(program, text.data()), call));
  return text;
}

/// Text without the zero that C strings end with.
static std::string withoutZero(std::string text) {
  if (!text.empty() && text.back() == '\0')
    text.pop_back();
  return text;
}

Result<CudaCode> Nvrtc::compile(NvrtcProgram *program,
                                std::string_view target) const {
  std::string arch = fmt::format("--gpu-architecture={}", target);
  std::vector<const char *> options(std::begin(kOptions), std::end(kOptions));
  options.push_back(arch.c_str());
  int result = nvrtcCompileProgram(program, static_cast<int>(options.size()),
                                   options.data());
  CudaCode code;
  MAMBA_ASSIGN_OR_RETURN(code.log,
                         read(program, "nvrtcGetProgramLog",
                              nvrtcGetProgramLogSize, nvrtcGetProgramLog));
  code.log = withoutZero(std::move(code.log));
  if (result == kCompilationFailed)
    return Status(StatusCode::CompileError,
                  fmt::format("{} refuses the CUDA C++; its log:\n{}",
                              version(), code.log));
  MAMBA_RETURN_IF_ERROR(check(result, "nvrtcCompileProgram")
                            .withContext(fmt::format("for {}", target)));
  MAMBA_ASSIGN_OR_RETURN(
      code.ptx, read(program, "nvrtcGetPTX", nvrtcGetPTXSize, nvrtcGetPTX));
  code.ptx = withoutZero(std::move(code.ptx));
  MAMBA_ASSIGN_OR_RETURN(code.cubin, read(program, "nvrtcGetCUBIN",
                                          nvrtcGetCUBINSize, nvrtcGetCUBIN));
  return code;
}

Result<CudaCode> Nvrtc::compile(const std::string &source,
                                const std::string &name,
                                std::string_view target) const {
  NvrtcProgram *program = nullptr;
  MAMBA_RETURN_IF_ERROR(
      check(nvrtcCreateProgram(&program, source.c_str(), name.c_str(), 0,
                               nullptr, nullptr),
            "nvrtcCreateProgram"));
  Result<CudaCode> code = compile(program, target);
  nvrtcDestroyProgram(&program);
  return code;
}

Result<Artifact> compileSource(Artifact artifact, std::string_view target) {
  if (artifact.kind != ImageKind::Cuda)
    return artifact;
  MAMBA_ASSIGN_OR_RETURN(const Nvrtc *nvrtc, Nvrtc::get());
  Result<CudaCode> code =
      nvrtc->compile(artifact.image, artifact.name + ".cu", target);
  if (!code.ok())
    return code.status().withContext(
        fmt::format("compiling kernel '{}'", artifact.name));
  if (!code->log.empty())
    warn(fmt::format("{} says of kernel '{}':\n{}", nvrtc->version(),
                     artifact.name, code->log));
  artifact.kind = ImageKind::Cubin;
  artifact.target = target;
  artifact.image = std::move(code->cubin);
  return artifact;
}

} // namespace mamba::cuda
