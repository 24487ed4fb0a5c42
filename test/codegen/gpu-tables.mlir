// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 1, items = 1, warps_d = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// The block fills the tables of its 64 channels together. A thread takes four
// neighbouring states, the next thread the next four: 128 runs, two a thread.
// CHECK: %[[THREAD:.*]] = arith.index_cast %thread_id_x : index to i32
// CHECK: %[[ROW:.*]] = arith.divui %[[THREAD]], %c2_i32
// CHECK: %[[PART:.*]] = arith.remui %[[THREAD]], %c2_i32
// CHECK: %[[STATE:.*]] = arith.muli %[[PART]], %c4_i32
// CHECK: llvm.load %{{.*}} invariant {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK: %[[BASE:.*]] = arith.muli %[[ROW]], %c9_i32
// CHECK: arith.addi %[[BASE]], %[[STATE]]
// CHECK: arith.addi %[[THREAD]], %c64_i32

// A thread scans the rows of its own channel, whoever filled them.
// CHECK: gpu.barrier
// CHECK: math.exp2

// Last states leave as they came.
// CHECK: gpu.barrier
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
// CHECK: gpu.return
#dn = #ssm.layout<unit = 1, align = 16>
#bdn = #ssm.layout<unit = 2, align = 16>
func.func @scan(%delta: tensor<?x?x?xf32>, %A: tensor<?x8xf32> {ssm.layout = #dn})
    -> (tensor<?x?x8xf32> {ssm.layout = #bdn}) {
  %last = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                     %a = %A[d, n] : tensor<?x8xf32>)
      -> ([b, d, n] : tensor<?x?x8xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %h, %end = ssm.recurrence %decay, %dt : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?x8xf32>
}
