//===- Bundle.cpp - Exported functions, without a compiler ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/bundle/Bundle.h"

#include "runtime/FileIO.h"
#include "runtime/PerProcess.h"
#include "runtime/bundle/Selection.h"
#include "runtime/bundle/Sha256.h"
#include "runtime/cuda/Compatibility.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <numeric>
#include <shared_mutex>
#include <sys/stat.h>
#include <tuple>

namespace mamba {

namespace {

/// Pipes do not block, and links lead nowhere else.
constexpr int kReadOnly = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;

/// Device, target, function, variant. A kernel holds its device, so that the
/// address stays that of the same one.
using KernelId = std::tuple<const Device *, size_t, size_t, size_t>;

/// Loaded under its own lock, which takes long, so that launches of what is
/// loaded do not wait.
struct KernelEntry {
  std::mutex mutex;
  std::shared_ptr<Kernel> kernel;
};

struct LoadedKernels {
  std::shared_mutex mutex;
  std::map<KernelId, std::shared_ptr<KernelEntry>> byId;

  std::shared_ptr<KernelEntry> entry(const KernelId &id) {
    {
      std::shared_lock lock(mutex);
      if (auto known = byId.find(id); known != byId.end())
        return known->second;
    }
    std::unique_lock lock(mutex);
    std::shared_ptr<KernelEntry> &entry = byId[id];
    if (!entry)
      entry = std::make_shared<KernelEntry>();
    return entry;
  }
};

/// The file `name` of an open folder; `path` is for messages.
Result<FileDescriptor> openIn(const FileDescriptor &folder,
                              const std::string &name,
                              const std::string &path) {
  FileDescriptor file(::openat(folder.get(), name.c_str(), kReadOnly));
  if (!file.valid())
    return errnoStatus("cannot open", path);
  return file;
}

Status corrupt(std::string text) {
  return Status(StatusCode::CorruptData, std::move(text));
}

} // namespace

struct BundledFunction::State {
  /// One of the manifest's, read when a device first wants it.
  struct Target {
    /// Held while it is read: a child that is forked meanwhile needs another.
    PerProcess<std::mutex> mutex;
    std::unique_ptr<const TargetManifest> owned;
    /// owned.get() once it is set, read without the lock.
    std::atomic<const TargetManifest *> ready{nullptr};
  };

  std::string path;
  FileDescriptor folder;
  std::string checksum;
  Manifest manifest;
  mutable std::deque<Target> targets;
  /// Indices of the targets, the newest architecture first.
  std::vector<size_t> newestFirst;
  mutable PerProcess<LoadedKernels> kernels;

  Result<std::string> read(const BundleFile &file) const;
  Result<const TargetManifest *> target(size_t index) const;
  /// Sets the index of the target and of its variant that a call runs.
  Status select(size_t function, std::span<const TensorView> tensors,
                const DeviceInfo &device, size_t &target,
                size_t &variant) const;
  Result<std::shared_ptr<Kernel>>
  load(const BundleVariant &variant,
       const std::shared_ptr<Device> &device) const;
};

/// The file's bytes, which are those that were exported.
Result<std::string>
BundledFunction::State::read(const BundleFile &described) const {
  std::string full = path + "/" + described.name;
  MAMBA_ASSIGN_OR_RETURN(FileDescriptor file,
                         openIn(folder, described.name, full));
  struct stat facts = {};
  if (::fstat(file.get(), &facts) != 0)
    return errnoStatus("cannot read", full);
  if (facts.st_size != described.bytes)
    return corrupt(fmt::format("'{}' has {} bytes, and the manifest says {}: "
                               "export the bundle again",
                               full, facts.st_size, described.bytes));
  MAMBA_ASSIGN_OR_RETURN(std::string bytes, readDescriptor(file.get(), full));
  if (sha256(bytes) != described.sha256)
    return corrupt(fmt::format("'{}' is not what was exported: its checksum is "
                               "not that of the manifest; export the bundle "
                               "again",
                               full));
  return bytes;
}

Result<const TargetManifest *>
BundledFunction::State::target(size_t index) const {
  Target &target = targets[index];
  if (const TargetManifest *ready =
          target.ready.load(std::memory_order_acquire))
    return ready;
  std::lock_guard lock(target.mutex.get());
  if (!target.owned) {
    const BundleFile &file = manifest.targets[index].file;
    MAMBA_ASSIGN_OR_RETURN(std::string text, read(file));
    Result<TargetManifest> parsed = readTarget(text, manifest);
    if (!parsed.ok())
      return parsed.status().withContext(path + "/" + file.name);
    target.owned = std::make_unique<TargetManifest>(std::move(*parsed));
    target.ready.store(target.owned.get(), std::memory_order_release);
  }
  return target.owned.get();
}

static std::vector<size_t>
newestFirst(const std::vector<BundleTarget> &targets) {
  std::vector<size_t> order(targets.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::ranges::sort(order, std::less(), [&](size_t index) {
    return std::pair(-cuda::architectureNumber(targets[index].target), index);
  });
  return order;
}

static Status noTarget(const Manifest &manifest, const DeviceInfo &device) {
  std::string list;
  for (const BundleTarget &target : manifest.targets)
    list += (list.empty() ? "" : ", ") + target.target;
  return Status(StatusCode::Unsupported,
                fmt::format("the bundle has code for {}, which {} ({}, {}) "
                            "does not run: export it with --targets={}",
                            list, device.name, device.architecture,
                            device.model, device.architecture));
}

/// The targets that run, from the newest on, until one has a variant.
Status BundledFunction::State::select(size_t function,
                                      std::span<const TensorView> tensors,
                                      const DeviceInfo &device, size_t &target,
                                      size_t &variant) const {
  Status refusal;
  for (size_t index : newestFirst) {
    if (!runsOn(manifest.targets[index], device))
      continue;
    target = index;
    MAMBA_ASSIGN_OR_RETURN(const TargetManifest *loaded, this->target(target));
    Result<size_t> selected =
        selectVariant(manifest.functions[function], loaded->variants[function],
                      tensors, device);
    if (selected.ok()) {
      variant = *selected;
      return Status();
    }
    refusal = selected.status();
  }
  return refusal.ok() ? noTarget(manifest, device) : refusal;
}

/// The first form of the code that the device takes: where a driver is too old
/// for PTX, NVRTC may still be there. Changed files are no reason to go on.
Result<std::shared_ptr<Kernel>>
BundledFunction::State::load(const BundleVariant &variant,
                             const std::shared_ptr<Device> &device) const {
  Status failure;
  for (const CodeFile &code : variant.code) {
    if (!runsOn(code.kind, variant.artifact.target, device->info()))
      continue;
    auto artifact = std::make_shared<Artifact>(variant.artifact);
    artifact->kind = code.kind;
    MAMBA_ASSIGN_OR_RETURN(artifact->image, read(code.file));
    MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> kernel,
                           Kernel::create(std::move(artifact), device));
    Status loaded = kernel->load().status();
    if (loaded.ok())
      return kernel;
    failure = failure.ok() ? std::move(loaded)
                           : Status(failure.code(),
                                    fmt::format("{}\n{}", failure.message(),
                                                loaded.message()));
  }
  return failure;
}

const BundleFunction &BundledFunction::info() const {
  return bundle_->manifest.functions[index_];
}

Result<std::shared_ptr<Kernel>>
BundledFunction::kernel(const std::shared_ptr<Device> &device,
                        std::span<const TensorView> tensors,
                        void *stream) const {
  size_t target = 0, variant = 0;
  MAMBA_RETURN_IF_ERROR(
      bundle_->select(index_, tensors, device->info(), target, variant));
  std::shared_ptr<KernelEntry> entry =
      bundle_->kernels.get().entry({device.get(), target, index_, variant});
  // Threads that want the same code load it once.
  std::lock_guard lock(entry->mutex);
  if (entry->kernel)
    return entry->kernel;
  MAMBA_ASSIGN_OR_RETURN(bool capturing, device->isCapturing(stream));
  if (capturing)
    return Status(StatusCode::CaptureForbidden,
                  fmt::format("the code of '{}' would have to be loaded while "
                              "the stream is being captured; call prepare() "
                              "before the capture",
                              info().name));
  MAMBA_ASSIGN_OR_RETURN(const TargetManifest *loaded, bundle_->target(target));
  MAMBA_ASSIGN_OR_RETURN(
      entry->kernel, bundle_->load(loaded->variants[index_][variant], device));
  return entry->kernel;
}

Status BundledFunction::launch(const std::shared_ptr<Device> &device,
                               std::span<const TensorView> tensors,
                               void *stream) const {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> chosen,
                         kernel(device, tensors, stream));
  return chosen->launch(tensors, stream);
}

Status BundledFunction::prepare(const std::shared_ptr<Device> &device,
                                std::span<const TensorView> tensors,
                                void *stream) const {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Kernel> chosen,
                         kernel(device, tensors, stream));
  return chosen->prepare(tensors, stream);
}

Result<Bundle> Bundle::open(const std::string &folder,
                            std::string_view checksum) {
  auto state = std::make_shared<State>();
  state->path = folder;
  FileDescriptor opened(
      ::open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  if (!opened.valid())
    return errnoStatus("cannot open the bundle", folder);
  std::string path = fmt::format("{}/{}", folder, kManifestFile);
  MAMBA_ASSIGN_OR_RETURN(FileDescriptor file,
                         openIn(opened, kManifestFile, path));
  MAMBA_ASSIGN_OR_RETURN(std::string text, readDescriptor(file.get(), path));
  Result<Manifest> manifest = readManifest(text);
  if (!manifest.ok())
    return manifest.status().withContext(path);
  state->checksum = manifestChecksum(text);
  if (!checksum.empty() && checksum != state->checksum)
    return corrupt(fmt::format(
        "{}: the bundle is another one than the program was built for: its "
        "checksum is {}, required is {}; put the exported folder and header in "
        "place together",
        path, state->checksum, checksum));
  state->manifest = std::move(*manifest);
  state->targets.resize(state->manifest.targets.size());
  state->newestFirst = newestFirst(state->manifest.targets);
  state->folder = std::move(opened);
  return Bundle(std::move(state));
}

const Manifest &Bundle::manifest() const { return state_->manifest; }

const std::string &Bundle::checksum() const { return state_->checksum; }

Result<BundledFunction> Bundle::function(std::string_view name) const {
  const std::vector<BundleFunction> &functions = state_->manifest.functions;
  if (name.empty() && functions.size() == 1)
    return function(size_t(0));
  std::string names;
  for (size_t i = 0; i < functions.size(); ++i) {
    if (functions[i].name == name)
      return function(i);
    names += (i ? ", " : "") + functions[i].name;
  }
  return Status(StatusCode::NotFound,
                fmt::format("no function '{}' in bundle '{}', which has {}",
                            name, state_->path, names));
}

BundledFunction Bundle::function(size_t index) const {
  return BundledFunction(state_, index);
}

} // namespace mamba
