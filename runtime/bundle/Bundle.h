//===- Bundle.h - Exported functions, without a compiler --------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Opens what mamba-export wrote. Nothing here needs MLIR or LLVM.
//
//     auto bundle = *mamba::Bundle::open("selective_scan.bundle");
//     auto scan = *bundle.function("selective_scan");
//     auto device = *mamba::Device::open("cuda:0");
//     mamba::Status status = scan.launch(device, {u, delta, A, B, C, y});
//
// Checksums find damage. Whoever can write to the folder can change them too:
// a program that carries the checksum of the manifest, as generated headers do,
// refuses everything but the bundle that it was built with.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BUNDLE_BUNDLE_H
#define MAMBA_RUNTIME_BUNDLE_BUNDLE_H

#include "runtime/Kernel.h"
#include "runtime/bundle/Manifest.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mamba {

/// One function of a bundle. Copies are the same function. Thread-safe. Keeps
/// the bundle open.
class BundledFunction {
public:
  const BundleFunction &info() const;

  /// Runs the function on `tensors` (inputs, then results) of `device`; the
  /// first launch of a variant reads, checks and loads its code. Errors are
  /// those of Kernel::launch; Unsupported if there is no code for the device;
  /// CorruptData if the code's file was changed.
  Status launch(const std::shared_ptr<Device> &device,
                std::span<const TensorView> tensors,
                void *stream = nullptr) const;
  /// All that launch() does once, without launching: after it, such a launch
  /// may be captured in a CUDA graph.
  Status prepare(const std::shared_ptr<Device> &device,
                 std::span<const TensorView> tensors,
                 void *stream = nullptr) const;
  /// The variant that launch() would run, loaded. CaptureForbidden if it is not
  /// yet and `stream` is being captured.
  Result<std::shared_ptr<Kernel>> kernel(const std::shared_ptr<Device> &device,
                                         std::span<const TensorView> tensors,
                                         void *stream = nullptr) const;

private:
  friend class Bundle;
  struct State;
  BundledFunction(std::shared_ptr<const State> bundle, size_t index)
      : bundle_(std::move(bundle)), index_(index) {}
  std::shared_ptr<const State> bundle_;
  size_t index_;
};

/// A bundle's folder. Copies are the same bundle. Thread-safe.
class Bundle {
public:
  /// Reads and checks the manifest in `folder`. If `checksum` is not empty, the
  /// manifest must have it. Later the folder may be moved, but not removed.
  static Result<Bundle> open(const std::string &folder,
                             std::string_view checksum = {});

  const Manifest &manifest() const;
  /// The SHA-256 that stands for the whole bundle.
  const std::string &checksum() const;

  /// The function called `name`; if it is empty, the only one there is.
  Result<BundledFunction> function(std::string_view name = {}) const;
  /// Function number `index` of the manifest, which has it.
  BundledFunction function(size_t index) const;

private:
  using State = BundledFunction::State;
  explicit Bundle(std::shared_ptr<const State> state)
      : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_BUNDLE_BUNDLE_H
