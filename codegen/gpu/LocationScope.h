//===- LocationScope.h - Where what is emitted is from ----------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Code keeps the place of the body's op that it is for, down to the reports of
// a device that checks what it runs.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_LOCATIONSCOPE_H
#define MAMBA_CODEGEN_GPU_LOCATIONSCOPE_H

#include "codegen/gpu/Emit.h"

namespace mlir::ssm {

/// While it lives, ops get the location `loc`.
class LocationScope {
public:
  LocationScope(Emit &e, Location loc) : e(e), outer(e.getLoc()) {
    e.setLoc(loc);
  }
  ~LocationScope() { e.setLoc(outer); }
  LocationScope(const LocationScope &) = delete;
  LocationScope &operator=(const LocationScope &) = delete;

private:
  Emit &e;
  Location outer;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_LOCATIONSCOPE_H
