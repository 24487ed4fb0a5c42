//===- Jit.cpp - Compile and launch functions of a module -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three caches, from near to far: the function's variants, the kernel cache in
// memory and on disk, the compiler.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Jit.h"

#include "runtime/Binding.h"
#include "runtime/Cache.h"
#include "runtime/FileIO.h"
#include "runtime/Hash.h"
#include "runtime/Layout.h"
#include "runtime/Warning.h"
#include "runtime/cuda/Nvrtc.h"
#include "runtime/jit/BuildId.h"
#include "runtime/jit/FunctionInfoIO.h"
#include "runtime/jit/ModuleSource.h"
#include "runtime/jit/ObjectLinker.h"
#include "runtime/jit/TunedSchedules.h"
#include "runtime/jit/Variants.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <mutex>

using namespace mamba;

Status mamba::registerCompiler() { return registerObjectLinker(); }

/// The entry of `source` that `what` names, parsed by `parse`; made by
/// `compute` where the cache has none or one of another format.
template <typename T>
static Result<T> cachedFact(const ModuleSource &source, std::string_view what,
                            std::string_view function,
                            std::optional<T> (*parse)(std::string_view),
                            std::string (*serialize)(const T &),
                            const std::function<Result<T>()> &compute) {
  std::string key = KeyHasher()
                        .add(what)
                        .add(compilerBuildId())
                        .add(source.text())
                        .add(function)
                        .hex();
  if (Cache::Bytes bytes = Cache::global().lookup(key))
    if (std::optional<T> known = parse(*bytes))
      return std::move(*known);
  Result<T> fresh = compute();
  if (fresh.ok())
    Cache::global().store(key, serialize(*fresh));
  return fresh;
}

//===----------------------------------------------------------------------===//
// Function
//===----------------------------------------------------------------------===//

struct Function::State {
  std::shared_ptr<ModuleSource> source;
  FunctionInfo info;
  mutable PerProcess<Variants> variants;

  Status check(std::span<const TensorView> tensors) const;
  bool deduceKey(const Device &device, std::span<const TensorView> tensors,
                 VariantKey &key) const;
  Result<std::shared_ptr<Kernel>> build(const std::shared_ptr<Device> &device,
                                        const VariantKey &key,
                                        const LaunchOptions &options) const;
  Result<std::shared_ptr<Kernel>> find(const std::shared_ptr<Device> &device,
                                       std::span<const TensorView> tensors,
                                       const LaunchOptions &options) const;
};

/// Refuses tensors that no variant could take, before anything is compiled.
Status Function::State::check(std::span<const TensorView> tensors) const {
  Artifact signature;
  signature.name = info.name;
  signature.tensors = info.tensors;
  signature.numInputs = info.numInputs;
  signature.numResults = info.numResults;
  for (const TensorSpec &tensor : info.tensors)
    signature.layouts.push_back(
        {-1, static_cast<uint8_t>(byteSize(tensor.dtype))});
  Signature constraints(signature);
  return Binding()
      .bind(constraints, tensors)
      .withContext(fmt::format("function '{}'", info.name));
}

/// GPUs' code depends on what divides the length and on how far apart its steps
/// are; the CPU's does not.
static bool dependsOnSteps(const Device &device) {
  return device.info().architecture != "cpu";
}

void VariantRequest::forgetFixedStrides() {
  mamba::forgetFixedStrides(layouts);
}

void VariantRequest::aimAt(const Device &device) {
  target = device.info().architecture;
  if (!dependsOnSteps(device)) {
    lengthMultiple = 1;
    forgetFixedStrides();
  }
  threads = isCpu() ? device.multiprocessors() : 0;
}

/// All that `key` says but the device and the schedule.
static VariantRequest requestFor(const VariantKey &key) {
  VariantRequest request;
  request.layouts.assign(key.layouts.begin(),
                         key.layouts.begin() + key.numTensors);
  request.channelMultiple = key.channelMultiple;
  request.lengthMultiple = key.lengthMultiple;
  request.batch = key.extents[0];
  request.length = key.extents[1];
  request.channels = key.extents[2];
  return request;
}

std::string_view mamba::toString(Backend backend) {
  switch (backend) {
  case Backend::Auto:
    return "auto";
  case Backend::Nvptx:
    return "nvptx";
  case Backend::Nvrtc:
    return "nvrtc";
  }
  return "unknown";
}

std::optional<Backend> mamba::parseBackend(std::string_view name) {
  for (Backend backend : {Backend::Auto, Backend::Nvptx, Backend::Nvrtc})
    if (name == toString(backend))
      return backend;
  return std::nullopt;
}

/// The compiler behind ours whose version decides the code: NVRTC, or none.
static Result<std::string> backCompiler(const VariantRequest &request) {
  if (request.backend != Backend::Nvrtc)
    return std::string();
  MAMBA_ASSIGN_OR_RETURN(const cuda::Nvrtc *nvrtc, cuda::Nvrtc::get());
  return " by " + nvrtc->version();
}

/// A variant from the kernel cache, or compiled.
static Result<std::shared_ptr<Kernel>>
loadOrCompile(ModuleSource &source, const std::string &function,
              const std::shared_ptr<Device> &device,
              const VariantRequest &request) {
  KernelKey key = source.keyOf(function, request);
  MAMBA_ASSIGN_OR_RETURN(std::string compiler, backCompiler(request));
  key.pipeline = fmt::format("ssm-to-{} threads={} schedule={}{}",
                             request.isCpu() ? "cpu" : "gpu", request.threads,
                             request.schedule, compiler);
  key.compiler = compilerBuildId();
  key.target = device->target();
  MAMBA_ASSIGN_OR_RETURN(
      std::shared_ptr<const Artifact> artifact,
      getOrCompile(Cache::global(), key.hex(), [&]() -> Result<Artifact> {
        MAMBA_ASSIGN_OR_RETURN(Artifact compiled,
                               source.compile(function, request, nullptr));
        return cuda::compileSource(std::move(compiled), request.target);
      }));
  return Kernel::create(std::move(artifact), device);
}

/// The road that `options` ask for, on devices that have two.
static Backend backendFor(const Device &device, const LaunchOptions &options) {
  return device.isCuda() ? options.backend : Backend::Auto;
}

/// The road that a tuner found faster, if this process can take it: schedules
/// are shared by processes with and without NVRTC.
static Backend tunedBackend(Backend found) {
  return found == Backend::Nvrtc && !cuda::Nvrtc::get().ok() ? Backend::Nvptx
                                                             : found;
}

Result<std::shared_ptr<Kernel>>
Function::State::build(const std::shared_ptr<Device> &device,
                       const VariantKey &variant,
                       const LaunchOptions &options) const {
  VariantRequest request = requestFor(variant);
  request.aimAt(*device);
  request.schedule = options.schedule;
  request.backend = backendFor(*device, options);
  if (options.schedule.empty()) {
    TunedSchedules place(*source, info.name, request, *device);
    if (std::optional<TunedSchedule> tuned = place.find()) {
      request.schedule = tuned->schedule;
      if (request.backend == Backend::Auto)
        request.backend = tunedBackend(tuned->backend);
      Result<std::shared_ptr<Kernel>> kernel =
          loadOrCompile(*source, info.name, device, request);
      if (kernel.ok())
        return kernel;
      warn(fmt::format("function '{}' runs with its default schedule, since "
                       "the tuned one {} fails: {}",
                       info.name, tuned->schedule, kernel.status().message()));
      place.remove();
      request.schedule.clear();
      request.backend = backendFor(*device, options);
    }
  }
  return loadOrCompile(*source, info.name, device, request);
}

/// deduceVariant(), and what follows from the device.
bool Function::State::deduceKey(const Device &device,
                                std::span<const TensorView> tensors,
                                VariantKey &key) const {
  if (!deduceVariant(info, tensors, key))
    return false;
  key.device = &device;
  if (!dependsOnSteps(device)) {
    key.lengthMultiple = 1;
    key.forgetFixedStrides();
  }
  return true;
}

Result<std::shared_ptr<Kernel>>
Function::State::find(const std::shared_ptr<Device> &device,
                      std::span<const TensorView> tensors,
                      const LaunchOptions &options) const {
  VariantKey key;
  if (!deduceKey(*device, tensors, key))
    return check(tensors);
  if (!options.schedule.empty())
    key.schedule = hash128(options.schedule);
  key.backend = backendFor(*device, options);
  if (std::shared_ptr<Kernel> known = variants.get().find(key))
    return known;
  MAMBA_RETURN_IF_ERROR(check(tensors));
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> fresh,
                         build(device, key, options));
  return variants.get().insert(key, std::move(fresh));
}

const FunctionInfo &Function::info() const { return state_->info; }

const std::shared_ptr<ModuleSource> &Function::source() const {
  return state_->source;
}

Result<std::shared_ptr<Kernel>>
Function::kernel(const std::shared_ptr<Device> &device,
                 std::span<const TensorView> tensors,
                 const LaunchOptions &options) const {
  return state_->find(device, tensors, options);
}

Status Function::launch(const std::shared_ptr<Device> &device,
                        std::span<const TensorView> tensors,
                        const LaunchOptions &options) const {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> kernel,
                         state_->find(device, tensors, options));
  return kernel->launch(tensors, options.stream);
}

Status Function::prepare(const std::shared_ptr<Device> &device,
                         std::span<const TensorView> tensors,
                         const LaunchOptions &options) const {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> kernel,
                         state_->find(device, tensors, options));
  return kernel->prepare(tensors, options.stream);
}

void Function::forget(const std::shared_ptr<Device> &device,
                      std::span<const TensorView> tensors) const {
  VariantKey key;
  if (state_->deduceKey(*device, tensors, key))
    state_->variants.get().removeAllWidths(key);
}

Result<VariantRequest>
Function::request(std::span<const TensorView> tensors) const {
  MAMBA_RETURN_IF_ERROR(state_->check(tensors));
  VariantKey key;
  deduceVariant(state_->info, tensors, key);
  return requestFor(key);
}

Result<Artifact> Function::compile(const VariantRequest &request,
                                   const StageHook &onStage) const {
  return state_->source->compile(state_->info.name, request, onStage);
}

//===----------------------------------------------------------------------===//
// Module
//===----------------------------------------------------------------------===//

struct Module::State {
  /// Those that were asked for. The lock is held while one is described, which
  /// takes long: a child that is forked meanwhile needs another.
  struct Functions {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<Function::State>, std::less<>> byName;
  };

  std::shared_ptr<ModuleSource> source;
  std::vector<std::string> names;
  PerProcess<Functions> functions;
};

Result<Module> Module::parse(std::string text, std::string name) {
  MAMBA_RETURN_IF_ERROR(registerCompiler());
  auto state = std::make_shared<State>();
  state->source =
      std::make_shared<ModuleSource>(std::move(text), std::move(name));
  MAMBA_ASSIGN_OR_RETURN(state->names,
                         cachedFact<std::vector<std::string>>(
                             *state->source, "function names", "",
                             deserializeNames, serializeNames,
                             [&] { return state->source->functionNames(); }));
  return Module(std::move(state));
}

Result<Module> Module::load(const std::string &path) {
  MAMBA_ASSIGN_OR_RETURN(std::string text, readFile(path));
  return parse(std::move(text), path);
}

const std::vector<std::string> &Module::functionNames() const {
  return state_->names;
}

Result<Module> Module::differentiate(std::string_view wanted,
                                     std::optional<int64_t> saveEvery) const {
  MAMBA_ASSIGN_OR_RETURN(std::string text, state_->source->differentiate(
                                               std::string(wanted), saveEvery));
  return parse(std::move(text), state_->source->name());
}

Result<Function> Module::function(std::string_view wanted) const {
  const std::vector<std::string> &names = state_->names;
  std::string name(wanted.empty() && names.size() == 1 ? names.front()
                                                       : wanted);
  State::Functions &functions = state_->functions.get();
  std::lock_guard lock(functions.mutex);
  auto known = functions.byName.find(name);
  if (known != functions.byName.end())
    return Function(known->second);
  auto function = std::make_shared<Function::State>();
  function->source = state_->source;
  MAMBA_ASSIGN_OR_RETURN(
      function->info,
      cachedFact<FunctionInfo>(*state_->source, "function info", name,
                               deserializeInfo, serializeInfo,
                               [&] { return state_->source->describe(name); }));
  if (function->info.tensors.size() > kMaxTensors)
    return Status(StatusCode::Unsupported,
                  fmt::format("function '{}' has {} arguments and results, at "
                              "most {} are supported",
                              function->info.name,
                              function->info.tensors.size(), kMaxTensors));
  functions.byName.emplace(function->info.name, function);
  return Function(std::move(function));
}
