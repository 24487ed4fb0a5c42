//===- TunedSchedules.h - Schedules that measurements chose -----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Entries of the kernel cache: found without parsing anything, shared by
// processes, checked like every other entry. One is good for one function,
// layout (with any fixed strides), bucket of extents, GPU and compiler,
// whichever program holds that.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_TUNEDSCHEDULES_H
#define MAMBA_RUNTIME_JIT_TUNEDSCHEDULES_H

#include "runtime/jit/ModuleSource.h"

#include <optional>
#include <string>

namespace mamba {

struct TunedSchedule {
  std::string schedule;
  double seconds = 0; ///< Of a launch, as measured.
  Backend backend = Backend::Nvptx;
};

/// The place of a function's tuned schedules, for one variant and device.
class TunedSchedules {
public:
  TunedSchedules(const ModuleSource &source, const std::string &function,
                 const VariantRequest &request, const Device &device);

  /// Nothing if no one tuned this, or the entry is broken (one warning).
  std::optional<TunedSchedule> find() const;
  void store(const TunedSchedule &tuned) const;
  void remove() const;

private:
  std::string key_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_TUNEDSCHEDULES_H
