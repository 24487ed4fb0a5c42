//===- Passes.h - Passes over model IR and fused IR ------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Declarations that TableGen writes from Passes.td: `create<Name>()` for each
// pass, its options, and `registerSSMPasses()`.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_PASSES_H
#define MAMBA_PASSES_PASSES_H

#include "dialect/SSMDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/Pass.h"

namespace mlir::ssm {

struct CpuScheduleFields;
struct GpuScheduleFields;
struct Problem;

/// The attribute with these fields; null, with an error at `location`, where
/// its verifier refuses them.
Attribute attributeOf(Location location, const GpuScheduleFields &fields);
Attribute attributeOf(Location location, const CpuScheduleFields &fields);

/// The fields of an attribute.
GpuScheduleFields fieldsOf(ScheduleAttr schedule);
CpuScheduleFields fieldsOf(CpuScheduleAttr schedule);

/// The problem that `op` is; extents that its types leave open are those of
/// `assumed`.
Problem problemOf(FusedOp op, const Problem &assumed);

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace mlir::ssm

#endif // MAMBA_PASSES_PASSES_H
