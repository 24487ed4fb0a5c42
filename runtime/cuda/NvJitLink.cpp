//===- NvJitLink.cpp - PTX to machine code without a GPU ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/NvJitLink.h"

#include "runtime/Environment.h"
#include "runtime/cuda/Compatibility.h"
#include "runtime/cuda/OpenLibrary.h"
#include "runtime/cuda/ToolkitPaths.h"

#include <fmt/format.h>
#include <utility>

namespace mamba::cuda {

namespace {

constexpr int kInputPtx = 2; // NVJITLINK_INPUT_PTX

} // namespace

/// Fills the function pointers; the name of a missing one, or null.
const char *NvJitLink::resolve(void *library) {
  const std::pair<const char *, void *> symbols[] = {
#define MAMBA_NVJITLINK_SYMBOL(name) {#name, &name}
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkCreate),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkDestroy),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkAddData),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkComplete),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkGetLinkedCubinSize),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkGetLinkedCubin),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkGetErrorLogSize),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkGetErrorLog),
      MAMBA_NVJITLINK_SYMBOL(nvJitLinkVersion),
#undef MAMBA_NVJITLINK_SYMBOL
  };
  return resolveAll(library, symbols);
}

Result<std::unique_ptr<NvJitLink>>
NvJitLink::load(std::span<const std::string> paths) {
  auto linker = std::make_unique<NvJitLink>();
  MAMBA_RETURN_IF_ERROR(
      openFirst(
          paths, [&](void *library) { return linker->resolve(library); },
          "NVIDIA's library nvJitLink was not found, which makes machine code "
          "of PTX",
          "It comes with the CUDA toolkit 12.3 or newer, or with 'pip install "
          "nvidia-nvjitlink'. If it is elsewhere, set MAMBA_LIBNVJITLINK to "
          "its path.")
          .status());
  return linker;
}

Result<const NvJitLink *> NvJitLink::get() {
  return loadOnce<NvJitLink>([] {
    return libraryPaths(Environment::get().libnvjitlink, "libnvJitLink.so",
                        "nvjitlink");
  });
}

std::string NvJitLink::version() const {
  unsigned major = 0, minor = 0;
  nvJitLinkVersion(&major, &minor);
  return fmt::format("nvJitLink {}.{}", major, minor);
}

std::string NvJitLink::logOf(NvJitLinkHandle *handle) const {
  size_t size = 0;
  if (nvJitLinkGetErrorLogSize(handle, &size) != 0 || size == 0)
    return "(empty)";
  std::string log(size, '\0');
  nvJitLinkGetErrorLog(handle, log.data());
  log.resize(log.find_last_not_of(std::string_view("\0\n", 2)) + 1);
  return log;
}

Result<std::string> NvJitLink::assemble(NvJitLinkHandle *handle,
                                        std::string_view ptx,
                                        const std::string &name) const {
  size_t size = 0;
  // The library wants PTX with the zero that C strings end with.
  std::string text(ptx);
  int result = nvJitLinkAddData(handle, kInputPtx, text.c_str(),
                                text.size() + 1, name.c_str());
  if (result == 0)
    result = nvJitLinkComplete(handle);
  if (result == 0)
    result = nvJitLinkGetLinkedCubinSize(handle, &size);
  std::string cubin(size, '\0');
  if (result == 0)
    result = nvJitLinkGetLinkedCubin(handle, cubin.data());
  if (result == 0)
    return cubin;
  return Status(StatusCode::CompileError,
                fmt::format("{} refuses {} (error {}); its log:\n{}", version(),
                            name, result, logOf(handle)));
}

Result<NvJitLinkHandle *> NvJitLink::create(std::string_view target) const {
  // Of a name with one digit the library ends the process.
  if (architectureNumber(target) < 10)
    return Status(
        StatusCode::Unsupported,
        fmt::format("'{}' is not a GPU architecture such as sm_90", target));
  std::string arch = fmt::format("-arch={}", target);
  const char *options[] = {arch.c_str(), "-O3"};
  NvJitLinkHandle *handle = nullptr;
  if (int result = nvJitLinkCreate(&handle, 2, options); result != 0)
    return Status(StatusCode::Unsupported,
                  fmt::format("{} makes no code for {} (error {}): install a "
                              "newer one, or do without machine code",
                              version(), target, result));
  return handle;
}

Result<std::string> NvJitLink::assemble(std::string_view ptx,
                                        const std::string &name,
                                        std::string_view target) const {
  MAMBA_ASSIGN_OR_RETURN(NvJitLinkHandle * handle, create(target));
  Result<std::string> cubin = assemble(handle, ptx, name);
  nvJitLinkDestroy(&handle);
  return cubin;
}

} // namespace mamba::cuda
