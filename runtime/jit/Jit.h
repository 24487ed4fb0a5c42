//===- Jit.h - Compile and launch functions of a module ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler and the runtime in one call: a function of MLIR text is launched
// on tensors, and the variant that their memory, extents and device ask for is
// compiled when it is first needed. No header of LLVM is needed to use it.
//
//     mamba::registerCompiler();
//     auto device = *mamba::Device::open("cuda:0");
//     auto module = *mamba::Module::load("selective_scan.mlir");
//     auto scan = *module.function("selective_scan");
//     mamba::Status status = scan.launch(device, {u, delta, A, B, C, y});
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_JIT_H
#define MAMBA_RUNTIME_JIT_JIT_H

#include "runtime/Artifact.h"
#include "runtime/Device.h"
#include "runtime/Kernel.h"
#include "runtime/Status.h"
#include "runtime/Tensor.h"

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mamba {

/// Lets Device::open("cpu") and ("simt") run compiled code; call it before.
/// Cheap, and done once a process. Module::parse and Module::load call it too.
Status registerCompiler();

/// What a function takes and gives.
struct FunctionInfo {
  std::string name;
  /// Inputs, then results, with the axis that each dimension runs over.
  std::vector<TensorSpec> tensors;
  uint32_t numInputs = 0;
  uint32_t numResults = 0;
  /// For each exponential that the fused kernels compute, the axes it is
  /// computed once a point of: bit i stands for Axis i.
  std::vector<uint8_t> exponentials;
  /// The function computes log(1 + x), as softplus does.
  bool hasSoftplus = false;
  /// Some results are sums over sequences or channels.
  bool sumsPoints = false;
  /// Something is computed from numbers that were rounded to a narrower type:
  /// where two kernels round to either side, their results differ by more than
  /// what their own arithmetic does.
  bool roundsBetween = false;
};

/// The road from a lowered kernel to a GPU's machine code. Both compute the
/// same bits.
enum class Backend : uint8_t {
  Auto,  ///< The one that a tuner found faster; Nvptx where none was asked.
  Nvptx, ///< LLVM's NVPTX back end; the driver compiles its PTX.
  Nvrtc  ///< CUDA C++ and NVIDIA's NVRTC library, which must be installed.
};

/// "auto", "nvptx", "nvrtc".
std::string_view toString(Backend backend);
std::optional<Backend> parseBackend(std::string_view name);

/// Everything that a variant is compiled for.
struct VariantRequest {
  /// "cpu" (the host), a GPU architecture such as "sm_90", or "simt-sm_90":
  /// code of that architecture for the simt device.
  std::string target = "cpu";
  /// One an input and result; empty: row-major memory, aligned as elements.
  std::vector<LayoutSpec> layouts;
  /// A known divisor of the channel extent.
  int64_t channelMultiple = 1;
  int64_t lengthMultiple = 1;
  /// Extents that the schedule is chosen for; -1 where unknown. The code is
  /// right for every extent.
  int64_t batch = -1;
  int64_t length = -1;
  int64_t channels = -1;
  /// Threads of the CPU; 0 where unknown.
  int64_t threads = 0;
  /// A #ssm.schedule or #ssm.cpu_schedule in place of the default one.
  std::string schedule;
  /// For GPUs; Auto is Nvptx here.
  Backend backend = Backend::Auto;

  bool isCpu() const { return target == "cpu"; }
  /// Sets target and threads to those of `device`. Where its code does not
  /// depend on them, lengthMultiple becomes 1 and no stride is fixed.
  void aimAt(const Device &device);
  /// For one that is to take other strides than those it was made from.
  void forgetFixedStrides();
};

/// Receives a stage's name and text: model, fused, schedule, gpu or cpu, llvm,
/// ptx, cuda, simt or asm.
using StageHook =
    std::function<void(std::string_view stage, std::string_view text)>;

struct LaunchOptions {
  /// A CUstream; null is the default one. Ignored on the CPU.
  void *stream = nullptr;
  /// As VariantRequest::schedule. Empty: the one that a tuner found for such
  /// tensors on this device (Tune.h), or else the default one.
  std::string_view schedule;
  /// Ignored on the CPU and the simt device.
  Backend backend = Backend::Auto;
};

class ModuleSource;

/// One function of a module. Copies are the same function. Thread-safe.
class Function {
public:
  const FunctionInfo &info() const;

  /// Runs the function on `tensors` (inputs, then results) of `device`. The
  /// first launch with other layouts, extents of another bucket, or
  /// another device compiles or reads from the cache; later ones allocate
  /// nothing. Errors are those of Kernel::launch and of the compiler.
  Status launch(const std::shared_ptr<Device> &device,
                std::span<const TensorView> tensors,
                const LaunchOptions &options = {}) const;
  Status launch(const std::shared_ptr<Device> &device,
                std::initializer_list<TensorView> tensors,
                const LaunchOptions &options = {}) const {
    return launch(device, std::span(tensors.begin(), tensors.size()), options);
  }

  /// All that launch() does once, without launching: after it, a launch of
  /// tensors with these strides and extents may be captured in a CUDA graph.
  Status prepare(const std::shared_ptr<Device> &device,
                 std::span<const TensorView> tensors,
                 const LaunchOptions &options = {}) const;

  /// The variant that launch() would run.
  Result<std::shared_ptr<Kernel>>
  kernel(const std::shared_ptr<Device> &device,
         std::span<const TensorView> tensors,
         const LaunchOptions &options = {}) const;

  /// What launch() would compile for these tensors, without target, threads
  /// and schedule. Checks the tensors against the signature; looks at their
  /// addresses, not at their elements.
  Result<VariantRequest> request(std::span<const TensorView> tensors) const;

  /// Compiles a variant, past the caches. No device is needed, and no NVRTC:
  /// for that back end the image is CUDA C++ (see runtime/cuda/Nvrtc.h).
  Result<Artifact> compile(const VariantRequest &request,
                           const StageHook &onStage = nullptr) const;

  /// Drops the variant that launch() would run without a schedule of its own:
  /// the next such launch looks for the best one again. Launches under way are
  /// not disturbed.
  void forget(const std::shared_ptr<Device> &device,
              std::span<const TensorView> tensors) const;

  /// Where the function's text is.
  const std::shared_ptr<ModuleSource> &source() const;

private:
  friend class Module;
  struct State;
  explicit Function(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// A module of MLIR, text or bytecode. Copies are the same module.
/// Thread-safe. A child process reads bytecode and gives it back as text, since
/// MLIR's reader does not survive all damage (docs/security.md).
class Module {
public:
  /// Reads a module; `name` stands for it in messages. CompileError with the
  /// place if it is malformed. What an earlier process compiled from the same
  /// text comes from the cache, without parsing.
  static Result<Module> parse(std::string text, std::string name = "<string>");
  /// The same, from a file.
  static Result<Module> load(const std::string &path);

  /// Names of the functions with a body.
  const std::vector<std::string> &functionNames() const;

  /// The function called `name`; if it is empty, the only one there is. Fails
  /// where the function can't be turned into kernels.
  Result<Function> function(std::string_view name = {}) const;

  /// A module with that function, forward, and one called NAME_backward: it
  /// takes forward's arguments and, for each result, the gradient of a loss in
  /// it, and returns the gradient in each argument, named as `du` for `u`.
  /// CompileError, with the place, where an op has no derivative. With
  /// `saveEvery`, both are as --ssm-recompute leaves them (see Training.h).
  Result<Module>
  differentiate(std::string_view name = {},
                std::optional<int64_t> saveEvery = std::nullopt) const;

private:
  struct State;
  explicit Module(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_JIT_H
