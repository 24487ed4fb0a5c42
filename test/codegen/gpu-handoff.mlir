// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 8, items = 4, warps_d = 2, chunks = 3, handoff = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s

// One launch for all chunks. Tickets and the chunks done are zero before it.
// CHECK: ssm.plan = {{.*}}name = "ticket", zeroed = true{{.*}}name = "chunks_done", zeroed = true{{.*}}name = "chunk_state", zeroed = false
// Other blocks write to temporaries, so nothing says that only this one does.
// CHECK: gpu.func @scan_0
// CHECK-SAME: %arg2: !llvm.ptr<1> {llvm.noalias}, %arg3: !llvm.ptr<1>, %arg4: !llvm.ptr<1>, %arg5: !llvm.ptr<1>, %arg6: i64
// CHECK-SAME: grid = ["d/8", "b/1", "./3"]

// The block's number is its ticket, which one thread takes for all.
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0_i32
// CHECK: scf.if %[[FIRST]] {
// CHECK:   llvm.atomicrmw add %{{.*}}, %{{.*}} syncscope("device") monotonic
// CHECK: }
// CHECK: gpu.barrier

// One thread waits for the chunk before, all wait for it.
// CHECK: scf.while
// CHECK:   %[[DONE:.*]] = llvm.load %{{.*}} atomic syncscope("device") acquire
// CHECK:   arith.cmpi ne, %[[DONE]], %{{.*}}
// CHECK: gpu.barrier

// The first chunk starts from zero, the others from what was handed on.
// CHECK: scf.if %{{.*}} -> (f32, f32, f32, f32)
// CHECK: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>

// CHECK: math.exp2

// All states are written before the next block hears of it.
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: llvm.store %{{.*}}, %{{.*}} {alignment = 16 : i64} : vector<4xf32>, !llvm.ptr<1>
// CHECK: gpu.barrier
// CHECK: llvm.store %{{.*}}, %{{.*}} atomic syncscope("device") release
// CHECK: gpu.return
// CHECK-NOT: gpu.func
func.func @scan(%delta: tensor<?x?x?xf32>, %A: tensor<?x8xf32>)
    -> tensor<?x?x8xf32> {
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
