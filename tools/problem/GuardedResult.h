//===- GuardedResult.h - A result that shows who wrote where ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Right numbers are half of a kernel's duty: it writes every element, and
// nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_PROBLEM_GUARDEDRESULT_H
#define MAMBA_TOOLS_PROBLEM_GUARDEDRESULT_H

#include "runtime/Buffer.h"

#include <string>

namespace mamba {

/// Memory of a device for one result, with guards around it.
class GuardedResult {
public:
  /// Fills everything with 0xFF bytes: NaN in every type.
  static Result<GuardedResult> create(const HostTensor &host,
                                      const std::shared_ptr<Device> &device);

  const TensorView &view() const { return view_; }

  /// Copies the result to `host`. Internal, with `name`, if a byte outside the
  /// elements was written or an element was not.
  Status fetch(HostTensor &host, const std::string &name) const;

private:
  std::shared_ptr<Device> device_;
  DeviceBuffer buffer_;
  TensorView view_;
};

} // namespace mamba

#endif // MAMBA_TOOLS_PROBLEM_GUARDEDRESULT_H
