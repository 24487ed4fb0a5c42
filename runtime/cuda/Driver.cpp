//===- Driver.cpp - libcuda, found at run time ----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where libcuda may lie, loading its functions, and its errors as Status.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Driver.h"

#include "runtime/Environment.h"
#include "runtime/PerProcess.h"
#include "runtime/cuda/OpenLibrary.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <mutex>
#include <vector>

namespace mamba::cuda {

namespace {

/// The loader's own search comes first; the others are where containers, WSL
/// and distributions put a driver that it is not told of.
std::vector<std::string> candidatePaths() {
  if (const std::string &path = Environment::get().libcuda; !path.empty())
    return {path};
  return {"libcuda.so.1",
          "libcuda.so",
          "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
          "/usr/lib64/libcuda.so.1",
          "/usr/lib/wsl/lib/libcuda.so.1",
          "/usr/local/nvidia/lib64/libcuda.so.1",
          "/usr/local/cuda/compat/libcuda.so.1",
          "/run/opengl-driver/lib/libcuda.so.1"};
}

struct Required {
  const char *name;
  void **slot;
  bool optional;
};

std::vector<Required> symbolsOf(Driver &driver) {
  return {
#define MAMBA_CUDA_SYMBOL(name, parameters)                                    \
  {#name, reinterpret_cast<void **>(&driver.name), false},
#define MAMBA_CUDA_OPTIONAL_SYMBOL(name, parameters)                           \
  {#name, reinterpret_cast<void **>(&driver.name), true},
#include "runtime/cuda/Symbols.inc"
  };
}

/// Fills the function pointers; the name of a missing one, or null.
const char *resolve(void *library, Driver &driver) {
  for (const Required &symbol : symbolsOf(driver)) {
    *symbol.slot = ::dlsym(library, symbol.name);
    if (!*symbol.slot && !symbol.optional)
      return symbol.name;
  }
  return nullptr;
}

/// Where the driver was initialised: the fork generation, or -1.
std::atomic<int64_t> initializedIn{-1};

Status forked() {
  return Status(StatusCode::Forked,
                "the CUDA driver was initialised before this process was "
                "forked, and can't be used in it: open the CUDA device only in "
                "the child, or start the child without fork (spawn)");
}

struct Attempt {
  std::once_flag once;
  Result<const Driver *> result{StatusCode::Internal, "not tried"};
};

/// Never destroyed: static objects may hold devices.
PerProcess<Attempt> &attempt() {
  static auto *instance = new PerProcess<Attempt>;
  return *instance;
}

} // namespace

Result<std::unique_ptr<Driver>>
Driver::load(std::span<const std::string> paths) {
  auto driver = std::make_unique<Driver>();
  MAMBA_ASSIGN_OR_RETURN(
      driver->path_,
      openFirst(
          paths, [&](void *library) { return resolve(library, *driver); },
          "the CUDA driver library was not found",
          "It comes with the NVIDIA driver (not with the CUDA toolkit). If it "
          "is elsewhere, set MAMBA_LIBCUDA to its path; in a container, start "
          "it with GPU access (docker run --gpus all)."));
  return driver;
}

Result<const Driver *> Driver::initialize() {
  auto generation = static_cast<int64_t>(forkGeneration());
  int64_t before = initializedIn.load();
  if (before != -1 && before != generation)
    return forked();
  MAMBA_ASSIGN_OR_RETURN(std::unique_ptr<Driver> driver,
                         load(candidatePaths()));
  CUresult result = driver->cuInit(0);
  // A library that was initialised in the parent, by whomever, says this.
  if (result == CUDA_ERROR_NOT_INITIALIZED)
    return forked();
  if (result != CUDA_SUCCESS)
    return driver->failure(result, "cuInit").withContext(driver->path_);
  initializedIn.store(generation);
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(*driver, cuDriverGetVersion, &driver->version_));
  return static_cast<const Driver *>(driver.release());
}

Result<const Driver *> Driver::get() {
  Attempt &mine = attempt().get();
  std::call_once(mine.once, [&] { mine.result = initialize(); });
  return mine.result;
}

/// After these the driver refuses everything that needs the context, whose
/// memory and code are gone. A primary context is made anew by a new process
/// only.
static bool losesContext(CUresult result) {
  return result == CUDA_ERROR_ILLEGAL_ADDRESS ||
         result == CUDA_ERROR_LAUNCH_TIMEOUT ||
         result == CUDA_ERROR_CONTEXT_IS_DESTROYED ||
         result == CUDA_ERROR_ASSERT ||
         (result >= CUDA_ERROR_HARDWARE_STACK_ERROR &&
          result <= CUDA_ERROR_LAUNCH_FAILED);
}

Status Driver::failure(CUresult result, const char *call) const {
  const char *name = nullptr, *text = nullptr;
  cuGetErrorName(result, &name);
  cuGetErrorString(result, &text);
  StatusCode code = StatusCode::DriverError;
  if (result == CUDA_ERROR_OUT_OF_MEMORY)
    code = StatusCode::OutOfMemory;
  else if (result == CUDA_ERROR_NO_DEVICE ||
           result == CUDA_ERROR_INVALID_DEVICE ||
           result == CUDA_ERROR_STUB_LIBRARY)
    code = StatusCode::NotFound;
  else if (result >= CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED &&
           result <= CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD)
    code = StatusCode::CaptureForbidden;
  return Status(code,
                fmt::format("{} failed: {} ({}): {}{}", call,
                            name ? name : "unknown error", int(result),
                            text ? text : "no description",
                            losesContext(result)
                                ? "; this process can't use the device any "
                                  "more, since a kernel of it crashed or the "
                                  "device was reset: start it again"
                                : ""));
}

std::string versionText(int cudaVersion) {
  return fmt::format("{}.{}", cudaVersion / 1000, cudaVersion % 1000 / 10);
}

} // namespace mamba::cuda
