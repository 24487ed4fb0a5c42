//===- Formulas.h - The ssm ops as scalar formulas -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ssm.discretize, ssm.readout and ssm.gate (SSMOps.td has the formulas)
// compute at one point of the iteration space.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_PASSES_FORMULAS_H
#define MAMBA_PASSES_FORMULAS_H

#include "passes/Product.h"

namespace mlir::ssm {

/// Elements of the operands of ssm.discretize, with their axes.
struct System {
  Factor delta, A, B, u;
};

/// (a, b) of h_t = a h_(t-1) + b, both of `type`. Factors with few axes
/// multiply first.
std::pair<Value, Value> buildDiscretize(OpBuilder &builder, Location loc,
                                        DiscretizeRule rule,
                                        const System &system, Type type);

/// What the gradients of (a, b), null where there is none, add to that of
/// operand `i` of delta, A, B and u; complex where a is, null for nothing.
Value buildDiscretizeGradient(OpBuilder &builder, Location loc,
                              DiscretizeRule rule, const System &system,
                              unsigned i, Value ga, Value gb);

/// Re(sum over n of state C). Ends in ssm.sum.
Value buildReadout(OpBuilder &builder, Location loc, Value state, Value C);

/// y act(z).
Value buildGate(OpBuilder &builder, Location loc, Activation activation,
                Value y, Value z);

/// act'(z).
Value buildGateSlope(OpBuilder &builder, Location loc, Activation activation,
                     Value z);

} // namespace mlir::ssm

#endif // MAMBA_PASSES_FORMULAS_H
