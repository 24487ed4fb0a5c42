//===- Trial.cpp - One mutant against cases of the suite -----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Trial.h"

#include "runtime/jit/ModuleSource.h"

#include "mlir/IR/Verifier.h"
#include <algorithm>

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;
using mamba::numerics::Outcome;

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// How many of the KEY=VALUE pairs of `likely` hold in `test`.
static int64_t scoreOf(const Case &test, StringRef likely) {
  SmallVector<StringRef> pairs;
  likely.split(pairs, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  return llvm::count_if(pairs, [&](StringRef pair) {
    auto [key, value] = pair.split('=');
    return test.is(key, value);
  });
}

std::vector<size_t> mutation::orderFor(const Mutant &mutant,
                                       const std::vector<Case> &cases) {
  // Simulated points cost time; of cases alike, small ones come first.
  constexpr int64_t kSmall = 50'000;
  std::vector<std::tuple<int64_t, bool, size_t>> keys;
  for (auto [number, test] : llvm::enumerate(cases))
    keys.push_back(
        {-scoreOf(test, mutant.likely), test.points() > kSmall, number});
  llvm::sort(keys);
  std::vector<size_t> order;
  for (auto [score, isLarge, number] : keys)
    order.push_back(number);
  return order;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

namespace {

/// A case's kernel with the mutant's change, compiled once.
class MutatedKernel {
public:
  MutatedKernel(const Mutant &mutant, const Case &test,
                std::function<void()> onLaunch)
      : mutant(mutant), isTraining(test.has("grad") && test.number("save") > 0),
        onLaunch(std::move(onLaunch)) {}

  mamba::Status launch(const mamba::Function &function,
                       const std::shared_ptr<mamba::Device> &device,
                       std::span<const mamba::TensorView> tensors,
                       const mamba::numerics::LaunchWay &way);

  bool isChanged = false;
  bool isInvalid = false;

private:
  LogicalResult change(ModuleOp module, StringRef function);

  const Mutant &mutant;
  /// Forward runs first, and gradients start from what it saves.
  bool isTraining;
  std::function<void()> onLaunch;
  std::shared_ptr<mamba::Kernel> kernel;
};

} // namespace

/// Fails where nothing would be changed in any of the case's kernels: it need
/// not run.
LogicalResult MutatedKernel::change(ModuleOp module, StringRef function) {
  if (failed(nameArguments(module)))
    return failure();
  bool isForward = isTraining && !function.ends_with("_backward");
  bool hasPlace = mutant.change(module);
  isChanged |= hasPlace;
  forgetArguments(module);
  if (!hasPlace)
    return success(isForward || isChanged);
  isInvalid = failed(verify(module));
  return success(!isInvalid);
}

mamba::Status
MutatedKernel::launch(const mamba::Function &function,
                      const std::shared_ptr<mamba::Device> &device,
                      std::span<const mamba::TensorView> tensors,
                      const mamba::numerics::LaunchWay &way) {
  if (kernel && kernel->check(tensors).ok())
    return kernel->launch(tensors);
  MAMBA_ASSIGN_OR_RETURN(mamba::VariantRequest request,
                         function.request(tensors));
  request.aimAt(*device);
  request.schedule = way.schedule;
  MAMBA_ASSIGN_OR_RETURN(
      mamba::Artifact artifact,
      function.source()->compile(function.info().name, request, nullptr,
                                 [&](ModuleOp module) {
                                   return change(module, function.info().name);
                                 }));
  if (way.adapt)
    MAMBA_RETURN_IF_ERROR(way.adapt(artifact));
  MAMBA_ASSIGN_OR_RETURN(
      kernel, mamba::Kernel::create(
                  std::make_shared<const mamba::Artifact>(std::move(artifact)),
                  device));
  if (isChanged)
    onLaunch();
  return kernel->launch(tensors);
}

//===----------------------------------------------------------------------===//
// Judgement
//===----------------------------------------------------------------------===//

/// A part of a message, and what it says of the catcher.
static constexpr std::pair<StringLiteral, StringLiteral> kCatchers[] = {
    {"race: in '", "race"},
    {"out of bounds: in '", "out of bounds"},
    {"write to an input: in '", "write to an input"},
    {"misaligned: in '", "misaligned"},
    {"uninitialized: in '", "unwritten read"},
    {"divergent barrier: in '", "divergent barrier"},
    {"open phase: in '", "open phase"},
    {"inactive lane: in '", "inactive lane"},
    {"wrote outside of result", "guard"},
    {"places between the elements", "guard"},
    {"did not write", "unwritten result"},
    {"changed input", "changed input"},
    {"relative error", "relative error"},
    {"other bits than launch 0", "other bits"},
    {"earlier steps changed", "locality"},
    {"does not show it", "locality"},
};

static Verdict judge(const MutatedKernel &kernel, const Outcome &outcome) {
  Verdict verdict;
  verdict.message = outcome.message;
  if (!kernel.isChanged)
    return verdict;
  verdict.kind = Verdict::Kind::Survived;
  if (outcome.kind != Outcome::Kind::Failed)
    return verdict;
  for (auto [part, catcher] : kCatchers)
    if (!kernel.isInvalid && StringRef(outcome.message).contains(part)) {
      verdict.kind = Verdict::Kind::Caught;
      verdict.by = catcher;
      return verdict;
    }
  verdict.kind = Verdict::Kind::Broken;
  verdict.by = kernel.isInvalid ? "makes invalid IR" : "fails in no known way";
  return verdict;
}

static Verdict runOne(const Mutant &mutant, const Case &test,
                      const std::shared_ptr<mamba::Device> &device,
                      std::function<void()> onLaunch) {
  MutatedKernel kernel(mutant, test, std::move(onLaunch));
  mamba::numerics::RunOptions options;
  // As many as the suite's run on this device.
  options.repeats = 3;
  options.launch = [&](const auto &...arguments) {
    return kernel.launch(arguments...);
  };
  return judge(kernel, mamba::numerics::runCase(test, device, options));
}

Verdict mutation::runTrial(const Mutant &mutant, const std::vector<Case> &cases,
                           const std::vector<size_t> &order,
                           const OnCase &onCase) {
  using Kind = Verdict::Kind;
  Verdict result;
  mamba::Status status = mamba::registerCompiler();
  mamba::Result<std::shared_ptr<mamba::Device>> device =
      mamba::Device::open("simt");
  if (!status.ok() || !device.ok())
    return {Kind::Broken, "no device", 0,
            status.ok() ? device.status().message() : status.message()};
  for (size_t number : order) {
    onCase(number, /*isLaunched=*/false);
    Verdict verdict = runOne(mutant, cases[number], *device, [&, number] {
      onCase(number, /*isLaunched=*/true);
    });
    verdict.lastCase = number;
    if (verdict.kind == Kind::Caught || verdict.kind == Kind::Broken)
      return verdict;
    if (verdict.kind == Kind::Survived)
      result = verdict;
  }
  return result;
}
