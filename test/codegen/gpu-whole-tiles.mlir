// RUN: mamba-opt --split-input-file --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 4>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s
// RUN: mamba-opt --split-input-file --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 4, warps_l = 2, relay = 1, stages = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefix=STAGED

// Tiles of 8 steps and 16 channels.
// L is a multiple of 8 and D one of 16: no access is moved into the tensors, and
// no store asks whether it may be.
// CHECK: gpu.func @whole_0
// CHECK: scf.for %{{.*}} : i64
// CHECK-NOT: arith.minsi
// CHECK-NOT: arith.cmpi slt
// CHECK: llvm.store %{{.*}} : vector<4xf32>, !llvm.ptr<1>
// CHECK: gpu.return

// The branch behind each trip's scan stays where teams wait for each other.
// STAGED: gpu.func @whole_0
// STAGED: scf.for %{{.*}} : i64
// STAGED: arith.minsi
// STAGED: gpu.return
#bdl = #ssm.layout<unit = 1, align = 16>
func.func @whole(%delta: tensor<?x?x?xf32> {ssm.layout = #bdl}, %A: tensor<?x8xf32>)
    -> (tensor<?x?x?xf32> {ssm.layout = #bdl})
    attributes {ssm.length_multiple = 16 : i64, ssm.channel_multiple = 16 : i64} {
  %y = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %a = %A[d, n] : tensor<?x8xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %h, %last = ssm.recurrence %decay, %dt : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

// L may end between the two lanes of a tile: a run is read where there is one.
// CHECK: gpu.func @runs_0
// CHECK: scf.for %{{.*}} : i64
// CHECK: %[[INSIDE:.*]] = arith.cmpi slt
// CHECK: arith.minsi
// CHECK: scf.if %[[INSIDE]]
// CHECK: llvm.store %{{.*}} : vector<4xf32>, !llvm.ptr<1>
#bdl = #ssm.layout<unit = 1, align = 16>
func.func @runs(%delta: tensor<?x?x?xf32> {ssm.layout = #bdl}, %A: tensor<?x8xf32>)
    -> (tensor<?x?x?xf32> {ssm.layout = #bdl})
    attributes {ssm.length_multiple = 4 : i64, ssm.channel_multiple = 16 : i64} {
  %y = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %a = %A[d, n] : tensor<?x8xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %h, %last = ssm.recurrence %decay, %dt : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

// Some lanes may have no channel.
// CHECK: gpu.func @channels_0
// CHECK: %[[VALID:.*]] = arith.cmpi slt, %{{.*}} : i64
// CHECK: scf.for %{{.*}} : i64
// CHECK: scf.if %[[VALID]]
// CHECK: llvm.store %{{.*}} : vector<4xf32>, !llvm.ptr<1>
#bdl = #ssm.layout<unit = 1, align = 16>
func.func @channels(%delta: tensor<?x?x?xf32> {ssm.layout = #bdl}, %A: tensor<?x8xf32>)
    -> (tensor<?x?x?xf32> {ssm.layout = #bdl})
    attributes {ssm.length_multiple = 16 : i64, ssm.channel_multiple = 8 : i64} {
  %y = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %a = %A[d, n] : tensor<?x8xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %h, %last = ssm.recurrence %decay, %dt : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}
