//===- Passes.td - Passes over model IR and fused IR -------*- tablegen -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SSM_PASSES_TD
#define SSM_PASSES_TD

include "mlir/Pass/PassBase.td"

def FusePass : Pass<"ssm-fuse", "func::FuncOp"> {
  let summary = "turn a function of model IR into one ssm.fused op a kernel";
  let description = [{
    Replaces the body of a function by a chain of `ssm.fused` ops and a return.
    The chain has one op wherever the rules of `ssm.fused` allow it; a second
    one starts where a scan runs in the other direction, where a value of every
    step needs a last state, or where states are needed again after a sum over
    them. Values that depend on no scan are recomputed in each op, others pass
    through memory. Every result of the function becomes a result of its own.

    What a function may hold: `ssm.discretize`, `scan`, `readout`, `gate`,
    `spread_groups` and `sum_groups`; linalg ops whose loops are parallel or sum
    and whose indexing maps permute loops (`linalg.generic`, `map`, `reduce`,
    `broadcast`, `fill`, named elementwise ops);
    elementwise `arith` and `math` ops on tensors; splat constants;
    `tensor.cast`; `tensor.empty` and `tensor.dim` for shapes. Anything else is
    an error, except pure ops that no result needs.

    The axes of each tensor follow from the ssm ops that it reaches, forward
    and backward. A function without ssm ops gets (b, l, d) for its tensors of
    rank 3. A body may contract products and sums to fused multiply-adds:
    additions and multiplications carry `fastmath<contract>`.

    A sum over b, l or d is an `ssm.total`: what reads it is in a later op.

    Not supported: reductions other than sums, `linalg.index`, constants that
    are no splats, more than one block.
  }];
  let dependentDialects = ["arith::ArithDialect", "complex::ComplexDialect",
                           "math::MathDialect", "ssm::SSMDialect"];
}

def DifferentiatePass : Pass<"ssm-differentiate", "ModuleOp"> {
  let summary = "add the function that computes a function's gradients";
  let description = [{
    For `@f(x...) -> (y...)` adds `@f_backward(x..., dy...) -> (dx...)`: given
    dL/dy of a loss L for each result, it returns dL/dx for each argument, both
    for tensors of floating-point and complex numbers alone; a complex gradient
    is dL/d(re x) + i dL/d(im x). Gradients have the types of what they belong
    to. The function is model IR: forward's ops, as far as gradients need them,
    and their adjoints.

    The adjoint of a scan is a scan in the other direction. All other ops compute
    elements from elements, and so do their adjoints, as `linalg.generic`: loops
    that an operand lacks are reductions in its gradient. Groups are spread to
    channels before, and summed over channels after (`ssm.spread_groups`,
    `ssm.sum_groups`).

    What a function may hold: `ssm.discretize`, `scan`, `readout`, `gate`; and
    `fused`, which is expanded to those and `linalg.generic` before;
    structured `linalg` ops that are parallel or sum; elementwise ops on tensors;
    constants and casts. Scalar ops: `arith.addf`, `subf`, `mulf`, `divf`,
    `negf`, `maximumf`, `minimumf`, `maxnumf`, `minnumf`, `select`, `extf`,
    `truncf`; of `math`, all functions of one real number, `fma`, `powf`, `atan2`
    and `copysign`; `complex.add`, `sub`, `mul`, `div`, `neg`, `conj`, `exp`,
    `log`, `sqrt`, `tanh`, `sin`, `cos`, `abs`, `re`, `im` and `create`. Others are
    errors where a gradient reaches them. What an op reads of integers and
    booleans has no gradient. At a tie, minimum and maximum give half to each side; |x|
    gives 0 at 0. What a `select` does not choose gets 0, whatever
    its slope is, unless that is not finite; log1p(exp(x)),
    log(1 + exp(x)) and a / (1 + exp(x)) are differentiated as a whole, since their parts overflow.
  }];
  let options = [
    Option<"function", "function", "std::string", "\"\"",
           "name of the one to differentiate; empty: all">
  ];
  let dependentDialects = ["arith::ArithDialect", "complex::ComplexDialect",
                           "linalg::LinalgDialect", "math::MathDialect",
                           "ssm::SSMDialect", "tensor::TensorDialect"];
}

def RecomputePass : Pass<"ssm-recompute", "ModuleOp"> {
  let summary = "choose what a function saves for its gradients";
  let description = [{
    For each pair of `@f` and `@f_backward` (see --ssm-differentiate), lets `@f`
    return the states of those scans that `@f_backward` computes again, as they
    are before every T-th step: results `saved0`, ..., after its own, of axes
    (b, l/T, d[, n]). `@f_backward` takes them as its last arguments and starts
    from them, so that it has to compute a state again once, within a tile of T
    steps or a multiple, not twice. Memory holds 1/T of the states.

    With T = 0, nothing is saved. Arguments that `@f_backward` does not read are
    dropped from it, whatever T is.
  }];
  let options = [
    Option<"every", "every", "int64_t", "64",
           "steps from one saved state to the next; 0: save nothing">
  ];
  let dependentDialects = ["ssm::SSMDialect"];
}

def SimplifyBodyPass : Pass<"ssm-simplify-body"> {
  let summary = "move work of fused bodies to where it runs less often";
  let description = [{
    An op of a body runs once a point of the axes that it depends on. The
    rewrites hold for any body:

    - exp(x) becomes exp2(x log2(e)), which is one instruction on a GPU. (Not
      under log1p: log1p(exp(x)) is softplus, which lowerings know.)
    - Products are multiplied in the cheapest order: (delta B) u becomes
      (delta u) B, exp2((delta A) log2(e)) becomes exp2(delta (A log2(e))), with
      one product of A a channel. Constants and signs of a product join.
    - A factor that does not depend on n leaves a sum over n, and so does a
      divisor or a sign.
    - Where a recurrence is h' = a h + a g, a product with (h + g) a takes h'.

    A body's semantics allow to reassociate products of real numbers that carry
    `contract` or `reassoc`, which --ssm-fuse gives to all of them, and sums
    over n to be distributed over such products. Common subexpressions of each
    body are joined and dead ops dropped.
  }];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect"];
}

def SchedulePass : Pass<"ssm-schedule"> {
  let summary = "attach a schedule to each ssm.fused op that has none";
  let description = [{
    The schedule is the default for the op and the target: a pure function
    (passes/DefaultSchedule.h) of the extents, the element sizes and what the
    body keeps per state. Static extents of the op's types win over the options;
    extents that neither gives are taken as 8 sequences of 2048 steps and 2048
    channels. Every schedule is correct for every extent.

    `schedule` sets the attribute by hand:
    `--ssm-schedule="schedule=#ssm.schedule<lanes=4,items=8>"`.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_90\"",
           "cpu, or a GPU architecture such as sm_90">,
    Option<"batch", "batch", "int64_t", "-1", "sequences; -1: unknown">,
    Option<"length", "length", "int64_t", "-1", "steps; -1: unknown">,
    Option<"channels", "channels", "int64_t", "-1", "channels; -1: unknown">,
    Option<"threads", "threads", "int64_t", "0",
           "threads of the target cpu; 0: unknown">,
    Option<"schedule", "schedule", "std::string", "\"\"",
           "attribute to attach in place of the default">
  ];
  let dependentDialects = ["ssm::SSMDialect"];
}

#endif // SSM_PASSES_TD
