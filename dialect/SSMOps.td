//===- SSMOps.td - Operations of the ssm dialect -----------*- tablegen -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constraints are numbered (C1, C2, ...); the verifier and the negative tests
// in test/dialect/ carry the same labels.
//
//===----------------------------------------------------------------------===//

#ifndef SSM_OPS_TD
#define SSM_OPS_TD

include "dialect/SSMAttrs.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class SSM_Op<string mnemonic, list<Trait> traits = []>
    : Op<SSM_Dialect, mnemonic, traits>;

/// What states may be: single or double precision, real or complex. Half
/// precision states lose the long memory that a recurrence exists for.
def SSM_Real : AnyTypeOf<[F32, F64], "f32 or f64">;
def SSM_Number : AnyTypeOf<[F32, F64, Complex<F32>, Complex<F64>],
                           "f32, f64 or complex of these">;
def SSM_RealTensor : RankedTensorOf<[SSM_Real]>;
def SSM_NumberTensor : RankedTensorOf<[SSM_Number]>;
/// What tensors in memory may hold.
def SSM_Stored : AnyTypeOf<[F16, BF16, F32, F64, Complex<F32>, Complex<F64>],
                           "f16, bf16, f32, f64 or complex of the last two">;
def SSM_StoredTensor : RankedTensorOf<[SSM_Stored]>;

//===----------------------------------------------------------------------===//
// Model IR
//===----------------------------------------------------------------------===//

def SSM_DiscretizeOp : SSM_Op<"discretize", [Pure]> {
  let summary = "coefficients of the recurrence of a continuous system";
  let description = [{
    Turns h'(t) = A h(t) + B u(t), with a step delta, into the coefficients of
    h_t = a_t h_(t-1) + b_t. With x = delta A, elementwise over (b, l, d, n):

    | rule       | a                         | b                                   |
    | ---------- | ------------------------- | ----------------------------------- |
    | `zoh`      | exp(x)                    | delta (exp(x) - 1) / x * B u        |
    | `mamba`    | exp(x)                    | delta B u                           |
    | `bilinear` | (1 + x / 2) / (1 - x / 2) | delta / (1 - x / 2) * B u           |
    | `euler`    | 1 + x                     | delta B u                           |

    `zoh` is the zero-order hold, exact for inputs constant over a step (at
    x = 0 the fraction is its limit, 1); `mamba` is what the Mamba paper's code
    uses: zero-order hold for A, Euler for B. A is diagonal.

    Constraints:
    - (C1) `delta` is (b, l, d), or (d) where it is constant.
    - (C2) `A` is (d, n).
    - (C3) `B` is (b, l, g, n) where it depends on the input, or (d, n).
    - (C4) `u` is (b, l, d).
    - (C5) extents of one axis agree, and the groups g divide the channels d.
    - (C6) all element types have one precision; `delta` and `u` are real.
    - (C7) results `a_bar` and `b_bar` (a and b above) have one type,
      (b, l, d, n), complex where `A` or `B` is.
    - (C8) n is static and positive.

    Example:
    ```mlir
    %a, %b = ssm.discretize mamba %delta, %A, %B, %u
      : tensor<?x?x?xf32>, tensor<?x16xf32>, tensor<?x?x1x16xf32>, tensor<?x?x?xf32>
      -> tensor<?x?x?x16xf32>
    ```
  }];
  let arguments = (ins SSM_DiscretizeRuleAttr:$rule, SSM_RealTensor:$delta,
                       SSM_NumberTensor:$A, SSM_NumberTensor:$B, SSM_RealTensor:$u);
  let results = (outs SSM_NumberTensor:$a_bar, SSM_NumberTensor:$b_bar);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Axes of each operand, by its rank.
    AccessAttr deltaAccess();
    AccessAttr inputMatrixAccess();
  }];
}

def SSM_ScanOp : SSM_Op<"scan", [Pure]> {
  let summary = "first-order linear recurrence along the length axis";
  let description = [{
    h_t = a_t h_(t-1) + b_t for t = 0 ... L-1 (`reverse`: t = L-1 ... 0),
    elementwise over the other axes, starting from `init`, or from zero.
    `states` is h at every step, `last` is h after the last step taken (`init`
    where L = 0). With `exclusive`, `states` is what each step starts from:
    h_(t-1), or h_(t+1) in reverse.

    With `save every T`, `saved` is what the steps 0, T, 2 T, .. start from, in
    the order of the scan. Another scan of the same `a` and `b` may start from
    it, anywhere: `init(%saved every T)`; from zero where L = 0. Where that holds
    anything but what such a scan saved, the states are not specified.

    Constraints:
    - (C1) `a` and `b` have one type, (b, l, d, n) or (b, l, d).
    - (C2) `init` is `a`'s shape without l, or without b and l where all
      sequences share it.
    - (C3) extents of one axis agree.
    - (C4) element types are equal.
    - (C5) `states` has the type of `a`, `last` that type without l.
    - (C6) n is static and positive.
    - (C7) T is positive, `saved` is of `a`'s shape with ceil(L / T) in place
      of L, and a scan that starts from saved states saves none.

    Example:
    ```mlir
    %h, %last = ssm.scan %a, %b init(%h0)
      : tensor<?x?x?x16xf32>, tensor<?x?x16xf32>
    %r, %first = ssm.scan reverse %a, %b : tensor<?x?x?x16xf32>
    %p, %end = ssm.scan exclusive %a, %b : tensor<?x?x?x16xf32>
    %i, %to, %saved = ssm.scan %a, %b save every 64 : tensor<?x?x?x16xf32>
    %j, %at = ssm.scan %a, %b init(%saved every 64)
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
    ```
  }];
  let arguments = (ins SSM_NumberTensor:$a, SSM_NumberTensor:$b,
                       Optional<SSM_NumberTensor>:$init, UnitAttr:$reverse,
                       UnitAttr:$exclusive, OptionalAttr<I64Attr>:$every);
  let results = (outs SSM_NumberTensor:$states, SSM_NumberTensor:$last,
                      Optional<SSM_NumberTensor>:$saved);
  let builders = [OpBuilder<(ins "::mlir::Type":$states, "::mlir::Type":$last,
                                 "::mlir::Value":$a, "::mlir::Value":$b,
                                 "::mlir::Value":$init,
                                 "::mlir::UnitAttr":$reverse,
                                 "::mlir::UnitAttr":$exclusive), [{
    build($_builder, $_state, states, last, /*saved=*/::mlir::Type(), a, b,
          init, reverse, exclusive, /*every=*/::mlir::IntegerAttr());
  }]>];
  let extraClassDeclaration = [{
    /// Starts from states that another scan saved.
    bool startsFromSaved() { return getEvery() && !getSaved(); }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def SSM_ReadoutOp : SSM_Op<"readout", [Pure]> {
  let summary = "contract the states with C";
  let description = [{
    y(b, l, d) = Re(sum over n of h(b, l, d, n) C(.., n)); for real states and
    C the real part is the sum itself.

    Constraints:
    - (C1) `states` is (b, l, d, n).
    - (C2) `C` is (b, l, g, n), or (d, n) where it is constant.
    - (C3) extents of one axis agree, and the groups g divide the channels d.
    - (C4) element types have one precision; `y` is real.
    - (C5) `y` is (b, l, d).
    - (C6) n is static and positive.

    Example:
    ```mlir
    %y = ssm.readout %h, %C
      : tensor<?x?x?x16xf32>, tensor<?x?x1x16xf32> -> tensor<?x?x?xf32>
    ```
  }];
  let arguments = (ins SSM_NumberTensor:$states, SSM_NumberTensor:$C);
  let results = (outs SSM_RealTensor:$y);
  let assemblyFormat = "$states `,` $C attr-dict `:` type($states) `,` type($C) `->` type($y)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    AccessAttr outputMatrixAccess();
  }];
}

def SSM_SpreadGroupsOp : SSM_Op<"spread_groups", [Pure]> {
  let summary = "what each channel reads of a value that its group has";
  let description = [{
    result(b, l, d, n) = value(b, l, d / (D / G), n), with G the groups of
    `value` and D the channels of `like`, which is read for its extents alone.

    Constraints:
    - (C1) `value` is (b, l, g, n).
    - (C2) `like` is (b, l, d).
    - (C3) extents of one axis agree, and the groups g divide the channels d.
    - (C4) `result` is (b, l, d, n), with the element type of `value`.

    Example:
    ```mlir
    %x = ssm.spread_groups %B like %u
      : tensor<?x?x2x16xf32>, tensor<?x?x?xf32> -> tensor<?x?x?x16xf32>
    ```
  }];
  let arguments = (ins SSM_NumberTensor:$value, SSM_StoredTensor:$like);
  let results = (outs SSM_NumberTensor:$result);
  let assemblyFormat = "$value `like` $like attr-dict `:` type($value) `,` type($like) `->` type($result)";
  let hasVerifier = 1;
}

def SSM_SumGroupsOp : SSM_Op<"sum_groups", [Pure]> {
  let summary = "sum over the channels of each group";
  let description = [{
    result(b, l, g, n) = sum of value(b, l, d, n) over the D / G channels d of
    group g. The adjoint of `ssm.spread_groups`.

    Constraints:
    - (C1) `value` is (b, l, d, n).
    - (C2) `result` is (b, l, g, n), with the element type of `value`.
    - (C3) extents of one axis agree, and the groups g divide the channels d.

    Example:
    ```mlir
    %dB = ssm.sum_groups %dx : tensor<?x?x?x16xf32> -> tensor<?x?x2x16xf32>
    ```
  }];
  let arguments = (ins SSM_NumberTensor:$value);
  let results = (outs SSM_NumberTensor:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def SSM_GateOp : SSM_Op<"gate", [Pure, Elementwise, AllTypesMatch<["y", "z", "result"]>]> {
  let summary = "multiply by an activation of z";
  let description = [{
    y act(z), elementwise, with act one of
    `identity`: z; `silu`: z / (1 + exp(-z)); `sigmoid`: 1 / (1 + exp(-z));
    `gelu`: z (1 + erf(z / sqrt 2)) / 2.

    Constraints:
    - (C1) operands and result have one real tensor type.

    Example:
    ```mlir
    %o = ssm.gate silu %y, %z : tensor<?x?x?xf32>
    ```
  }];
  let arguments = (ins SSM_ActivationAttr:$activation, SSM_RealTensor:$y, SSM_RealTensor:$z);
  let results = (outs SSM_RealTensor:$result);
  let hasCustomAssemblyFormat = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Fused IR
//===----------------------------------------------------------------------===//

def SSM_FusedOp : SSM_Op<"fused", [Pure, IsolatedFromAbove, SingleBlock]> {
  let summary = "one kernel: an iteration space and a scalar body";
  let description = [{
    Computes its results element by element from a region of scalar ops over
    the iteration space (b, l, d, n). Each input and each result says which
    axis its dimensions run over; the region's argument i is the element of
    input i at the current point. A value of the body depends on the axes of
    its operands and is computed once a point of those axes: an expression of
    delta alone is computed once per (b, l, d), not once a state.
    `ssm.recurrence` alone orders l, `ssm.sum` removes n.

    Constraints:
    - (C1) an input's or result's access has as many axes as its type has dimensions.
    - (C2) extents of one axis agree over inputs and results; n and g are static.
    - (C3) the region's arguments are the inputs' element types, the yielded
      values the results' element types.
    - (C4) a yielded value depends on no axis that its result lacks.
    - (C5) each axis of a result is an axis of some input; so is l where the
      body has a recurrence.
    - (C6) body ops are those scalar ops of arith, math and complex that
      `dialect/BodyOps.cpp` lists (the error names them), on f64, f32, f16, bf16,
      complex numbers of f64 or f32, index and integers of at most 64 bits; or
      `ssm.recurrence`, `ssm.sum`, `ssm.total`, `ssm.yield`.
    - (C7) groups divide a static channel extent.
    - (C8) all recurrences run in one direction, or those of one of both read no
      recurrence, and nothing reads their last states. (They are replayed: from
      states at the start of each tile of steps; then no result has l/T.)
    - (C9) a last state feeds no value that depends on l, and no result that
      has l.
    - (C10) a per-state value that depends on a sum over n is computed from no
      per-state recurrence that ran before that sum, except those that are
      replayed. (Such a chain is two fused ops.)
    - (C11) a result with a group axis is an `ssm.total` over g, and its type
      has the number of groups.
    - (C12) a result with an axis l/T is the state of an exclusive recurrence,
      and an input with one the `init` of recurrences: its first entry is their
      initial state, and others are what a recurrence with the same operands
      had, which a kernel may start from.

    Example, Mamba's selective scan without gate:
    ```mlir
    %y, %hT = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>,
                         %dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                         %a = %A[d, n] : tensor<?x16xf32>,
                         %bm = %B[b, l, g, n] : tensor<?x?x1x16xf32>,
                         %cm = %C[b, l, g, n] : tensor<?x?x1x16xf32>)
        -> ([b, l, d] : tensor<?x?x?xf32>, [b, d, n] : tensor<?x?x16xf32>) {
      %x = arith.mulf %dt, %a : f32
      %decay = math.exp %x : f32
      %du = arith.mulf %dt, %u : f32
      %in = arith.mulf %du, %bm : f32
      %h, %last = ssm.recurrence %decay, %in : f32
      %hc = arith.mulf %h, %cm : f32
      %s = ssm.sum %hc over n : f32
      ssm.yield %s, %last : f32, f32
    }
    ```
  }];
  let arguments = (ins Variadic<SSM_StoredTensor>:$inputs,
                       TypedArrayAttrBase<SSM_AccessAttr, "array of #ssm.access, one an input">:$input_accesses,
                       TypedArrayAttrBase<SSM_AccessAttr, "array of #ssm.access, one a result">:$result_accesses,
                       OptionalAttr<AnyAttrOf<[SSM_ScheduleAttr, SSM_CpuScheduleAttr],
                                              "a #ssm.schedule or a #ssm.cpu_schedule">>:$schedule);
  let results = (outs Variadic<SSM_StoredTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    Block *getBlock() { return &getBody().front(); }
    AccessAttr inputAccess(unsigned i) { return cast<AccessAttr>(getInputAccesses()[i]); }
    AccessAttr resultAccess(unsigned i) { return cast<AccessAttr>(getResultAccesses()[i]); }
    /// Static extent of the state axis; 1 where no operand has one.
    int64_t stateExtent();
    /// Static extent of `axis` over all inputs and results, or kDynamic.
    int64_t axisExtent(Axis axis);
  }];
}

def SSM_RecurrenceOp : SSM_Op<"recurrence", [Pure, HasParent<"FusedOp">]> {
  let summary = "h_t = a_t h_(t-1) + b_t within a fused body";
  let description = [{
    The state after the current step (with `exclusive`: the one it starts from),
    and after the last step (`init`, or zero, where there is no step). `state` depends on l and on every axis of
    the operands, `last` on every axis but l.

    Constraints:
    - (C1) operands and results have one type: f32, f64 or complex of these.
    - (C2) `init` does not depend on l.

    Example:
    ```mlir
    %h, %last = ssm.recurrence %a, %b init(%h0) : f32
    %r, %first = ssm.recurrence reverse %a, %b : complex<f32>
    %p, %end = ssm.recurrence exclusive %a, %b : f32
    ```
  }];
  let arguments = (ins SSM_Number:$a, SSM_Number:$b, Optional<SSM_Number>:$init,
                       UnitAttr:$reverse, UnitAttr:$exclusive);
  let results = (outs SSM_Number:$state, SSM_Number:$last);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def SSM_SumOp : SSM_Op<"sum", [Pure, HasParent<"FusedOp">, SameOperandsAndResultType]> {
  let summary = "sum over the states within a fused body";
  let description = [{
    The sum of `value` over n: depends on every axis of it but n. A value that
    does not depend on n counts once a state.

    Example:
    ```mlir
    %y = ssm.sum %hc over n : f32
    ```
  }];
  let arguments = (ins SSM_Number:$value);
  let results = (outs SSM_Number:$result);
  let assemblyFormat = "$value `over` `n` attr-dict `:` type($value)";
  let hasFolder = 1;
}

def SSM_TotalOp : SSM_Op<"total", [Pure, HasParent<"FusedOp">]> {
  let summary = "sum over sequences, steps or channels, for a result";
  let description = [{
    The sum of `value` over all points of the axes named: b, l, d; or g, which
    stands for the channels of each group: what depends on d then depends on g.
    Gradients of what sequences, steps or channels share are such sums. It is
    summed in the type of `value` and rounded once.

    Constraints:
    - (C1) `axes` are some of b, l and either d or g.
    - (C2) `value` depends on each of them (on d, for g).
    - (C3) the total is yielded, and nothing else reads it.
    - (C4) its result has none of `axes` (not d, for g).
    - (C5) its type is that of `value`, or a narrower float.

    Example:
    ```mlir
    %dA = ssm.total %t over <b, l> : f32 -> f32
    %dB = ssm.total %s over <g> : f32 -> bf16
    ```
  }];
  let arguments = (ins SSM_Number:$value, SSM_AccessAttr:$axes);
  let results = (outs SSM_Stored:$result);
  let assemblyFormat = "$value `over` $axes attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def SSM_YieldOp : SSM_Op<"yield", [Pure, Terminator, HasParent<"FusedOp">]> {
  let summary = "results of a fused body at the current point";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // SSM_OPS_TD
