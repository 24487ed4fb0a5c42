// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 8, prefetch = 2>}" --ssm-lower-to-gpu --canonicalize --cse --split-input-file %s | FileCheck %s

// Steps of the next tile, by way of shared memory, in words of 16 bytes.

// A lane's 8 steps of bf16 are one word. L is a multiple of them: each word is
// there in full, or is not.
// CHECK-LABEL: gpu.func @steps_0
// CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
// CHECK-NOT: nvvm.cp.async.shared
// CHECK: nvvm.cp.async.commit.group
// CHECK: scf.for

// The warp waits and meets, reads, and asks for the next tile.
// CHECK:   nvvm.cp.async.wait.group 0
// CHECK:   nvvm.bar.warp.sync
// CHECK:   llvm.load {{.*}} : !llvm.ptr<3> -> vector<4xi32>
// CHECK:   nvvm.cp.async.shared.global
// CHECK-NOT: nvvm.cp.async.shared
// CHECK:   nvvm.cp.async.commit.group
// CHECK-NOT: !llvm.ptr<1> -> vector
// CHECK: gpu.return
func.func @steps(%delta: tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 16>},
                 %A: tensor<?xf32>) -> tensor<?x?xf32>
    attributes {ssm.length_multiple = 8} {
  %last = ssm.fused (%dt = %delta[b, d, l] : tensor<?x?x?xbf16>,
                     %a = %A[d] : tensor<?xf32>)
      -> ([b, d] : tensor<?x?xf32>) {
    %x = arith.extf %dt : bf16 to f32
    %decay = arith.mulf %x, %a : f32
    %h, %end = ssm.recurrence %decay, %x : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?xf32>
}

// -----

// Where nothing is known of L, a word may be cut: it says how many of its bytes
// are there.
// CHECK-LABEL: gpu.func @cut_0
// CHECK: %[[ELEMENTS:.*]] = arith.minsi %{{.*}}, %c8_i64
// CHECK: %[[THERE:.*]] = arith.maxsi %[[ELEMENTS]], %c0_i64
// CHECK: %[[COUNT:.*]] = arith.trunci %[[THERE]]
// CHECK: %[[BYTES:.*]] = arith.muli %[[COUNT]], %c2_i32
// CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %[[BYTES]] : !llvm.ptr<3>, !llvm.ptr<1>, i32
func.func @cut(%delta: tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 16>},
               %A: tensor<?xf32>) -> tensor<?x?xf32> {
  %last = ssm.fused (%dt = %delta[b, d, l] : tensor<?x?x?xbf16>,
                     %a = %A[d] : tensor<?xf32>)
      -> ([b, d] : tensor<?x?xf32>) {
    %x = arith.extf %dt : bf16 to f32
    %decay = arith.mulf %x, %a : f32
    %h, %end = ssm.recurrence %decay, %x : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?xf32>
}

// -----

// 16 channels of a step are two words; a warp has 16 steps, 32 words. A thread
// reads its channel of each of its steps.
// CHECK-LABEL: gpu.func @channels_0
// CHECK: nvvm.cp.async.shared.global
// CHECK-NOT: nvvm.cp.async.shared
// CHECK: scf.for
// CHECK:   nvvm.cp.async.wait.group 0
// CHECK-COUNT-8: llvm.load {{.*}} : !llvm.ptr<3> -> bf16
// CHECK:   nvvm.cp.async.shared.global
// CHECK-NOT: nvvm.cp.async.shared
// CHECK: gpu.return
func.func @channels(%delta: tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 16>},
                    %A: tensor<?xf32>) -> tensor<?x?xf32>
    attributes {ssm.channel_multiple = 8} {
  %last = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xbf16>,
                     %a = %A[d] : tensor<?xf32>)
      -> ([b, d] : tensor<?x?xf32>) {
    %x = arith.extf %dt : bf16 to f32
    %decay = arith.mulf %x, %a : f32
    %h, %end = ssm.recurrence %decay, %x : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?xf32>
}

// -----

// A single channel of the warp is no word: as with prefetch = 1.
// CHECK-LABEL: gpu.func @single_0
// CHECK-NOT: nvvm.cp.async
// CHECK: gpu.return
func.func @single(%delta: tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 2>},
                  %A: tensor<?xf32>) -> tensor<?x?xf32> {
  %last = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xbf16>,
                     %a = %A[d] : tensor<?xf32>)
      -> ([b, d] : tensor<?x?xf32>) {
    %x = arith.extf %dt : bf16 to f32
    %decay = arith.mulf %x, %a : f32
    %h, %end = ssm.recurrence %decay, %x : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?xf32>
}
