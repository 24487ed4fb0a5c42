// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<items = 1, prefetch = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<items = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefix=LATER

// A single step, asked for ahead: its own loads and those of the tables are all
// under way before the first is waited for. ptxas would move down what is known
// not to change.
// CHECK: scf.if
// CHECK-NEXT: llvm.load %{{[0-9]+}} {alignment = 4 : i64} : !llvm.ptr<1> -> f32
// CHECK-COUNT-2: llvm.load %{{[0-9]+}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// CHECK-NOT: llvm.store
// CHECK: nvvm.bar.warp.sync
// CHECK-COUNT-16: llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK: scf.for

// LATER: llvm.load %{{[0-9]+}} invariant {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
// LATER: llvm.store %{{.*}} : f32, !llvm.ptr<3>
// LATER: llvm.load %{{[0-9]+}} invariant {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
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
