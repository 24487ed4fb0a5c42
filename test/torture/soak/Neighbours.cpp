//===- Neighbours.cpp - What is meant for another device ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The numerics suite makes the tensors and judges the results; the launch that
// it asks for is the last of several.
//
//===----------------------------------------------------------------------===//

#include "test/torture/soak/Neighbours.h"

#include "runtime/Buffer.h"
#include "runtime/jit/Jit.h"
#include "test/e2e/numerics/RunCase.h"

#include <fmt/format.h>

using mamba::numerics::Case;
using mamba::numerics::Outcome;

namespace mamba::soak {

namespace {

using Tensors = std::span<const TensorView>;

/// Enough to have an address; nothing is read or written there.
constexpr int64_t kPageBytes = 4096;

/// One device's code and memory at another one.
struct Pair {
  std::shared_ptr<Device> own;
  std::shared_ptr<Device> other;

  Status launch(const Function &function, Tensors tensors) const;

private:
  bool areGpus() const { return own->isCuda() && other->isCuda(); }
  Status refuseTensors(const Function &function, Tensors tensors) const;
  Status launchForeign(const Function &function, Tensors tensors) const;
};

Status wrong(std::string text) {
  return Status(StatusCode::Internal, std::move(text));
}

/// Success if `status` is an error that has all of `parts` in its message.
Status requireRefusal(const Status &status, std::string_view what,
                      std::initializer_list<std::string> parts) {
  if (status.ok())
    return wrong(fmt::format("{} was not refused", what));
  for (const std::string &part : parts)
    if (status.message().find(part) == std::string::npos)
      return wrong(
          fmt::format("{} was refused with \"{}\", which does not name "
                      "'{}'",
                      what, status.message(), part));
  return Status();
}

/// Tensors of `own` in a launch on `other`; and one of `other` among those of a
/// launch on `own`. The CPU takes any pointer.
Status Pair::refuseTensors(const Function &function, Tensors tensors) const {
  if (other->name() != "cpu")
    MAMBA_RETURN_IF_ERROR(requireRefusal(
        function.launch(other, tensors),
        fmt::format("a launch on {} of tensors of {}", other->name(),
                    own->name()),
        {"tensor '", other->name(), areGpus() ? own->name() : ""}));
  if (own->name() == "cpu")
    return Status();
  std::vector<TensorView> mixed(tensors.begin(), tensors.end());
  MAMBA_ASSIGN_OR_RETURN(DeviceBuffer elsewhere,
                         DeviceBuffer::allocate(other, kPageBytes));
  mixed.back().data = elsewhere.data();
  return requireRefusal(
      function.launch(own, mixed),
      fmt::format("a launch on {} with a result on {}", own->name(),
                  other->name()),
      {"tensor '", own->name(), areGpus() ? other->name() : ""});
}

/// Code for `other` on `own`: devices of one kind share it.
Status Pair::launchForeign(const Function &function, Tensors tensors) const {
  MAMBA_ASSIGN_OR_RETURN(VariantRequest request, function.request(tensors));
  request.aimAt(*other);
  MAMBA_ASSIGN_OR_RETURN(Artifact artifact, function.compile(request));
  MAMBA_ASSIGN_OR_RETURN(
      std::shared_ptr<Kernel> kernel,
      Kernel::create(std::make_shared<const Artifact>(std::move(artifact)),
                     own));
  Status status = kernel->launch(tensors);
  if (own->target() == other->target())
    return status;
  return requireRefusal(
      status, fmt::format("code for {} on {}", other->target(), own->name()),
      {other->target()});
}

Status Pair::launch(const Function &function, Tensors tensors) const {
  MAMBA_RETURN_IF_ERROR(refuseTensors(function, tensors));
  MAMBA_RETURN_IF_ERROR(launchForeign(function, tensors));
  MAMBA_RETURN_IF_ERROR(own->synchronize());
  if (own->target() == other->target())
    return Status();
  MAMBA_RETURN_IF_ERROR(function.launch(own, tensors));
  return own->synchronize();
}

Status check(const Pair &pair) {
  numerics::RunOptions options;
  options.launch = [&](const Function &function,
                       const std::shared_ptr<Device> &, Tensors tensors,
                       const numerics::LaunchWay &) {
    return pair.launch(function, tensors);
  };
  for (const char *text : {"B=2 L=129 D=64 out=both", "B=2 L=65 D=20 grad=1"}) {
    MAMBA_ASSIGN_OR_RETURN(Case test, Case::parse(text));
    Outcome outcome = runCase(test, pair.own, options);
    if (outcome.kind != Outcome::Kind::Passed)
      return wrong(fmt::format("case '{}' on {}, beside {}: {}", text,
                               pair.own->name(), pair.other->name(),
                               outcome.message));
  }
  return Status();
}

} // namespace

Status checkNeighbours(const Devices &devices) {
  for (const std::shared_ptr<Device> &own : devices)
    for (const std::shared_ptr<Device> &other : devices)
      if (own != other)
        MAMBA_RETURN_IF_ERROR(check({own, other}));
  return Status();
}

} // namespace mamba::soak
