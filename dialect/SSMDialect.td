//===- SSMDialect.td - The ssm dialect ---------------------*- tablegen -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SSM_DIALECT_TD
#define SSM_DIALECT_TD

include "mlir/IR/OpBase.td"

def SSM_Dialect : Dialect {
  let name = "ssm";
  let cppNamespace = "::mlir::ssm";
  let summary = "State-space models: discretize, scan, read out, gate";
  let description = [{
    The dialect has two levels.

    *Model IR* (`ssm.discretize`, `ssm.scan`, `ssm.readout`, `ssm.gate`, mixed
    with `arith`, `math`, `complex` and `linalg` on tensors) says what a layer
    computes, with value semantics and no opinion on memory or parallelism.
    Tensor dimensions are in the order (batch, length, channel, state).

    *Fused IR* is one `ssm.fused` op a kernel: an iteration space (b, l, d, n)
    and a region of scalar ops in which `ssm.recurrence` and `ssm.sum` are ops
    like any other. Passes turn the first into the second; the schedule
    attribute on it says how it maps to a machine.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                           "complex::ComplexDialect"];
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif // SSM_DIALECT_TD
