// RUN: mamba-opt --ssm-schedule %s | FileCheck %s --check-prefixes=CHECK,GPU
// RUN: mamba-opt --ssm-schedule="batch=1" %s | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: mamba-opt --ssm-schedule="batch=1 channels=64 length=100000" %s | FileCheck %s --check-prefixes=CHECK,LONG
// RUN: mamba-opt --ssm-schedule="length=7 channels=3" %s | FileCheck %s --check-prefixes=CHECK,SMALL
// RUN: mamba-opt --ssm-schedule="target=cpu" %s | FileCheck %s --check-prefixes=CHECK,CPU
// RUN: mamba-opt --ssm-schedule="target=cpu threads=64 batch=1 channels=64 length=100000" %s | FileCheck %s --check-prefixes=CHECK,LONGCPU
// RUN: mamba-opt --ssm-schedule="schedule=#ssm.schedule<lanes=4,items=3>" %s | FileCheck %s --check-prefixes=CHECK,HAND
// RUN: not mamba-opt --ssm-schedule="target=sm_12" %s 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not mamba-opt --ssm-schedule="target=cpu schedule=#ssm.schedule<lanes=4>" %s 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not mamba-opt --ssm-schedule="schedule=#ssm.schedule<lanes=3>" %s 2>&1 | FileCheck %s --check-prefix=VALUE

// TARGET: schedule.mlir:[[#@LINE+18]]:8: error: found target 'sm_12', expected cpu, sm_80, sm_86, sm_89, sm_90, sm_100
// KIND: error: found schedule '#ssm.schedule<lanes=4>' for the target cpu, expected a #ssm.cpu_schedule
// VALUE: error: schedule's lanes is 3, expected a power of two from 1 to 32
// VALUE: error: cannot use the schedule '#ssm.schedule<lanes=3>', which is no valid #ssm.schedule

// Many sequences: few lanes along L. Few sequences: warps in turn, or more lanes
// along L; few and long ones: more blocks.

// CHECK-LABEL: func.func @scan
// GPU: schedule(#ssm.schedule<lanes = 2, items = 16, warps_d = 4, stages = 2, prefetch = 1, min_blocks = 2>)
// ONE: schedule(#ssm.schedule<lanes = 2, items = 16, warps_l = 8, relay = 1, stages = 2, prefetch = 1, min_blocks = 1>)
// LONG: schedule(#ssm.schedule<lanes = 2, items = 16, warps_d = 4, chunks = {{[0-9]+}}, carry_parts = 2, stages = 2, prefetch = 1, min_blocks = 2>)
// SMALL: schedule(#ssm.schedule<stages = 2, prefetch = 1, min_blocks = 1>)
// CPU: schedule(#ssm.cpu_schedule<>)
// LONGCPU: schedule(#ssm.cpu_schedule<chunks = 16>)
// HAND: schedule(#ssm.schedule<lanes = 4, items = 3>)
func.func @scan(%delta: tensor<?x?x?xbf16>, %A: tensor<?x16xf32>,
                %B: tensor<?x?x1x16xbf16>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xbf16>,
                  %a = %A[d, n] : tensor<?x16xf32>,
                  %b = %B[b, l, g, n] : tensor<?x?x1x16xbf16>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %dt32 = arith.extf %dt : bf16 to f32
    %b32 = arith.extf %b : bf16 to f32
    %x = arith.mulf %dt32, %a : f32
    %in = arith.mulf %dt32, %b32 : f32
    %h, %last = ssm.recurrence %x, %in : f32
    %y = ssm.sum %h over n : f32
    ssm.yield %y : f32
  }
  return %r : tensor<?x?x?xf32>
}

// Chained recurrences: a chunk's carry needs the carries before it.

// CHECK-LABEL: func.func @chained
// LONG: schedule(#ssm.schedule<lanes = 16, items = 16, warps_d = 4, prefetch = 1, min_blocks = 1>)
// LONGCPU: schedule(#ssm.cpu_schedule<>)
func.func @chained(%as: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %h, %l0 = ssm.recurrence %a, %a : f32
    %x = math.tanh %h : f32
    %g, %l1 = ssm.recurrence %a, %x : f32
    ssm.yield %g : f32
  }
  return %r : tensor<?x?x?xf32>
}

// Static extents win over the options; a schedule that is there stays.

// CHECK-LABEL: func.func @known
// GPU: schedule(#ssm.schedule<lanes = 16, items = 16, warps_d = 2, prefetch = 1, min_blocks = 1>)
// LONG: schedule(#ssm.schedule<lanes = 16, items = 16, warps_d = 2, prefetch = 1, min_blocks = 1>)
// CHECK-LABEL: func.func @present
// CHECK: schedule(#ssm.schedule<lanes = 32>)
func.func @known(%as: tensor<1x2048x4xf32>) -> tensor<1x2048x4xf32> {
  %r = ssm.fused (%a = %as[b, l, d] : tensor<1x2048x4xf32>)
      -> ([b, l, d] : tensor<1x2048x4xf32>) {
    %h, %l0 = ssm.recurrence %a, %a : f32
    ssm.yield %h : f32
  }
  return %r : tensor<1x2048x4xf32>
}

func.func @present(%as: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.schedule<lanes = 32>) {
    %h, %l0 = ssm.recurrence %a, %a : f32
    ssm.yield %h : f32
  }
  return %r : tensor<?x?x?xf32>
}
