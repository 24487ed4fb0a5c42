// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 16, packed = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 2, items = 4, packed = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefix=FEW

// Two lanes' segments of 16 halves are 24 apart, those of numbers 20: an odd
// number of 16-byte words either way.
// CHECK: gpu.func @scan_0
// CHECK-DAG: arith.muli %{{.*}}, %c48_i32
// CHECK-DAG: arith.muli %{{.*}}, %c40_i32
// CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : f32, !llvm.ptr<3>
// CHECK: llvm.store %{{.*}} {alignment = 2 : i64} : i16, !llvm.ptr<3>
// CHECK: llvm.store %{{.*}} {alignment = 2 : i64} : f16, !llvm.ptr<3>

// Two reads of 16 bytes for each of the halves, widened in registers; four for
// the numbers.
// CHECK: scf.for %{{.*}} = %c0_i32 to %c8_i32
// CHECK-COUNT-2: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xi32>
// CHECK: arith.shli
// CHECK-COUNT-2: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<8xf16>
// CHECK: arith.extf
// CHECK-COUNT-4: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>
// CHECK-NOT: !llvm.ptr<3> -> vector

// Fewer steps do not fill such a word.
// FEW-NOT: i16, !llvm.ptr<3>
// FEW-NOT: !llvm.ptr<3> -> vector<4xi32>
func.func @scan(%delta: tensor<?x?x?xf32>, %A: tensor<?x8xf32>,
                %B: tensor<?x?x8xbf16>, %H: tensor<?x?x8xf16>,
                %S: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %last = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                     %a = %A[d, n] : tensor<?x8xf32>,
                     %b = %B[b, l, n] : tensor<?x?x8xbf16>,
                     %h = %H[b, l, n] : tensor<?x?x8xf16>,
                     %s = %S[b, l, n] : tensor<?x?x8xf32>)
      -> ([b, d, n] : tensor<?x?x8xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %b32 = arith.extf %b : bf16 to f32
    %h32 = arith.extf %h : f16 to f32
    %in = arith.mulf %dt, %b32 : f32
    %in2 = arith.mulf %in, %h32 : f32
    %in3 = arith.mulf %in2, %s : f32
    %h_, %end = ssm.recurrence %decay, %in3 : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?x8xf32>
}
