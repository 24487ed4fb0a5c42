//===- Module.cpp - An artifact's code on one GPU -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver's numbers alone tell nobody what to do, so errors here carry the
// compiler's log, versions, and the resources asked for and available.
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Module.h"

#include "runtime/Validate.h"
#include "runtime/cuda/Compatibility.h"

#include <fmt/format.h>

namespace mamba::cuda {

namespace {

/// Shared memory a block gets without asking the driver for more.
constexpr int64_t kDefaultSharedBytes = 48 * 1024;
constexpr size_t kLogBytes = 16 * 1024;

/// "PTX 9.0, which needs ...": why the driver doesn't take this PTX.
std::string ptxTooNew(int ptxVersion, const DeviceInfo &info) {
  int needed = cudaVersionFor(ptxVersion);
  return fmt::format(
      "its code is PTX {}.{}, and the driver (CUDA {}) compiles PTX up to "
      "{}.{}: install a driver for CUDA {} or newer, or compile the kernel "
      "for PTX {}.{} or as a cubin for {}",
      ptxVersion / 10, ptxVersion % 10, versionText(info.driverVersion),
      info.maxPtxVersion / 10, info.maxPtxVersion % 10,
      needed ? versionText(needed) : "a newer version", info.maxPtxVersion / 10,
      info.maxPtxVersion % 10, info.target);
}

Status loadFailure(const Driver &driver, CUresult result,
                   const Artifact &artifact, const DeviceInfo &info,
                   const char *log) {
  Status error = driver.failure(result, "cuModuleLoadDataEx");
  std::string text = error.message();
  int ptxVersion =
      artifact.kind == ImageKind::Ptx ? ptxVersionOf(artifact.image) : 0;
  bool tooNew = result == CUDA_ERROR_UNSUPPORTED_PTX_VERSION ||
                (result == CUDA_ERROR_INVALID_PTX && info.maxPtxVersion &&
                 ptxVersion > info.maxPtxVersion);
  if (tooNew)
    text = fmt::format("{} ({})", ptxTooNew(ptxVersion, info), text);
  if (log[0])
    text += fmt::format("; the driver's log:\n{}", log);
  if (tooNew)
    return Status(StatusCode::Unsupported, std::move(text));
  bool badCode = result == CUDA_ERROR_INVALID_IMAGE ||
                 result == CUDA_ERROR_INVALID_PTX ||
                 result == CUDA_ERROR_NO_BINARY_FOR_GPU ||
                 result == CUDA_ERROR_JIT_COMPILER_NOT_FOUND;
  return Status(badCode ? StatusCode::CompileError : error.code(),
                std::move(text));
}

} // namespace

Result<std::shared_ptr<Module>>
Module::load(const Artifact &artifact, std::shared_ptr<PrimaryContext> context,
             const DeviceInfo &info) {
  std::string deviceText =
      fmt::format("{} ({}, {})", info.name, info.model, info.target);
  auto located = [&](Status status) {
    return std::move(status).withContext(
        fmt::format("loading kernel '{}' on {}", artifact.name, deviceText));
  };
  if (artifact.kind == ImageKind::Object)
    return located(Status(StatusCode::Unsupported,
                          fmt::format("it was compiled for the CPU ({}): "
                                      "compile it for {}",
                                      artifact.target, info.target)));
  if (Status status = checkTarget(artifact.kind, artifact.target, info.target);
      !status.ok())
    return located(std::move(status));
  std::shared_ptr<Module> module(new Module(std::move(context), deviceText));
  ScopedContext scope(*module->context_);
  MAMBA_RETURN_IF_ERROR(located(scope.status()));
  MAMBA_RETURN_IF_ERROR(located(module->loadImage(artifact, info)));
  for (const LaunchSpec &launch : artifact.launches)
    MAMBA_RETURN_IF_ERROR(
        located(module->loadEntry(launch, info)
                    .withContext(fmt::format("entry '{}'", launch.entry))));
  return module;
}

Module::~Module() {
  if (!module_)
    return;
  ScopedContext scope(*context_);
  if (scope.status().ok())
    (void)context_->driver().cuModuleUnload(module_);
}

Status Module::loadImage(const Artifact &artifact, const DeviceInfo &info) {
  std::string log(kLogBytes, '\0');
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER,
                            CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
  const Driver &driver = context_->driver();
  CUresult result = driver.cuModuleLoadDataEx(&module_, artifact.image.c_str(),
                                              2, options, values);
  if (result == CUDA_SUCCESS)
    return Status();
  module_ = nullptr;
  return loadFailure(driver, result, artifact, info, log.c_str());
}

Status Module::loadEntry(const LaunchSpec &launch, const DeviceInfo &info) {
  const Driver &driver = context_->driver();
  Entry entry;
  entry.name = launch.entry;
  entry.blockSize = launch.blockSize;
  entry.sharedBytes = launch.sharedBytes;
  CUresult result =
      driver.cuModuleGetFunction(&entry.function, module_, entry.name.c_str());
  if (result == CUDA_ERROR_NOT_FOUND)
    return Status(StatusCode::NotFound, "the code has no entry of this name");
  MAMBA_RETURN_IF_ERROR(driver.check(result, "cuModuleGetFunction"));
  // Modules are loaded lazily by default, and that is forbidden in a capture.
  if (driver.cuFuncLoad)
    MAMBA_RETURN_IF_ERROR(MAMBA_CUDA_CALL(driver, cuFuncLoad, entry.function));
  MAMBA_RETURN_IF_ERROR(readInfo(entry));
  if (launch.blockSize > static_cast<uint32_t>(entry.info.maxThreadsPerBlock))
    return Status(StatusCode::Unsupported,
                  fmt::format("blocks of {} threads with {} registers each are "
                              "more than the {} threads possible: compile with "
                              "smaller blocks",
                              launch.blockSize, entry.info.registers,
                              entry.info.maxThreadsPerBlock));
  MAMBA_RETURN_IF_ERROR(checkArguments(entry, launch.args.size()));
  MAMBA_RETURN_IF_ERROR(raiseSharedLimit(entry, info));
  MAMBA_RETURN_IF_ERROR(
      MAMBA_CUDA_CALL(driver, cuOccupancyMaxActiveBlocksPerMultiprocessor,
                      &entry.info.blocksPerMultiprocessor, entry.function,
                      static_cast<int>(launch.blockSize), launch.sharedBytes));
  entries_.push_back(std::move(entry));
  return Status();
}

Status Module::readInfo(Entry &entry) const {
  const Driver &driver = context_->driver();
  auto read = [&](CUfunction_attribute attribute, auto &target) {
    int value = 0;
    Status status = MAMBA_CUDA_CALL(driver, cuFuncGetAttribute, &value,
                                    attribute, entry.function);
    target = value;
    return status;
  };
  MAMBA_RETURN_IF_ERROR(read(CU_FUNC_ATTRIBUTE_NUM_REGS, entry.info.registers));
  MAMBA_RETURN_IF_ERROR(
      read(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, entry.info.localBytes));
  MAMBA_RETURN_IF_ERROR(
      read(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, entry.info.staticSharedBytes));
  return read(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK,
              entry.info.maxThreadsPerBlock);
}

/// The driver reads as many arguments as the code declares, so one too few
/// would be a read outside of ours.
Status Module::checkArguments(const Entry &entry, size_t count) const {
  const Driver &driver = context_->driver();
  if (!driver.cuFuncGetParamInfo)
    return Status();
  size_t declared = 0, offset = 0, size = 0;
  for (;; ++declared) {
    CUresult result =
        driver.cuFuncGetParamInfo(entry.function, declared, &offset, &size);
    // This one says that there are no more.
    if (result == CUDA_ERROR_INVALID_VALUE || declared > kMaxArgs)
      break;
    MAMBA_RETURN_IF_ERROR(driver.check(result, "cuFuncGetParamInfo"));
    if (size != 8)
      return Status(StatusCode::InvalidArgument,
                    fmt::format("parameter {} of the code has {} bytes; "
                                "required are 8",
                                declared, size));
  }
  if (declared == count)
    return Status();
  return Status(StatusCode::InvalidArgument,
                fmt::format("the code has {} parameters, and the artifact "
                            "describes {}",
                            declared, count));
}

Status Module::raiseSharedLimit(const Entry &entry,
                                const DeviceInfo &info) const {
  int64_t total = entry.info.staticSharedBytes + entry.sharedBytes;
  if (total > info.sharedBytesPerBlock)
    return Status(StatusCode::Unsupported,
                  fmt::format("a block needs {} bytes of shared memory ({} of "
                              "them dynamic); the device has {}: compile with "
                              "another schedule",
                              total, entry.sharedBytes,
                              info.sharedBytesPerBlock));
  if (total <= kDefaultSharedBytes)
    return Status();
  return MAMBA_CUDA_CALL(context_->driver(), cuFuncSetAttribute, entry.function,
                         CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                         static_cast<int>(entry.sharedBytes));
}

Status Module::launch(size_t index, int64_t numBlocks,
                      std::span<const int64_t> args, void *stream) {
  const Entry &entry = entries_[index];
  void *pointers[kMaxArgs];
  for (size_t i = 0; i < args.size(); ++i)
    pointers[i] = const_cast<int64_t *>(&args[i]);
  ScopedContext scope(*context_);
  MAMBA_RETURN_IF_ERROR(scope.status());
  const Driver &driver = context_->driver();
  CUresult result =
      driver.cuLaunchKernel(entry.function, static_cast<unsigned>(numBlocks), 1,
                            1, entry.blockSize, 1, 1, entry.sharedBytes,
                            static_cast<CUstream>(stream), pointers, nullptr);
  if (result == CUDA_SUCCESS)
    return Status();
  return launchFailure(entry, numBlocks,
                       driver.failure(result, "cuLaunchKernel"));
}

Status Module::launchFailure(const Entry &entry, int64_t numBlocks,
                             Status error) const {
  return std::move(error).withContext(fmt::format(
      "launching '{}' on {} with grid {}, block {}, {} + {} bytes of shared "
      "memory (static + dynamic), {} registers a thread, {} bytes of local "
      "memory a thread",
      entry.name, deviceText_, numBlocks, entry.blockSize,
      entry.info.staticSharedBytes, entry.sharedBytes, entry.info.registers,
      entry.info.localBytes));
}

EntryInfo Module::entryInfo(size_t index) const { return entries_[index].info; }

} // namespace mamba::cuda
