// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 1, items = 4>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,SERIAL
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 4>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,LANES
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 32, items = 4, unroll = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,PAIRS
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 4, warps_l = 4>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,MEETING
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 4, warps_l = 8>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,BLELLOCH
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, items = 4, chunks = 8>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefix=CHUNKS

// One body, four ways to scan it: each level of the schedule is visible in the
// kernel, and is gone where the schedule switches it off.

// CHECK: ssm.plan = {{.*}}inputs = 5{{.*}}results = 2
// CHECK: gpu.func @scan_0

// The serial scan: 32 channels a warp, no shuffle, one barrier a tile, which a
// block of one warp has of the warp alone.
// SERIAL-SAME: grid = ["d/32", "b/1"]
// SERIAL-NOT: gpu.shuffle
// Only accesses know whether L ends in the tile: loads at any step, or loads
// that stay below L; one body for both.
// SERIAL: scf.if %{{.*}} -> (f32, f32, f32, f32) {
// SERIAL: } else {
// SERIAL: arith.minsi
// SERIAL: nvvm.bar.warp.sync
// SERIAL-COUNT-4: math.exp2
// SERIAL-NOT: math.exp2
// SERIAL-NOT: gpu.barrier
// SERIAL: nvvm.bar.warp.sync
// SERIAL-NOT: nvvm.bar.warp.sync
// SERIAL: gpu.return

// Lanes along L: the decay of a lane's segment is one exponential of the sum
// of its steps, and two doubling steps scan four lanes. Memory has channels side
// by side, so lanes along L are 8 lanes apart.
// LANES-SAME: grid = ["d/8", "b/1"]
// LANES-COUNT-5: math.exp2
// LANES-NOT: math.exp2
// LANES: gpu.shuffle up %{{.*}}, %c8_i32
// LANES: gpu.shuffle up %{{.*}}, %c8_i32
// Nobody needs the decay of all four together.
// LANES: gpu.shuffle up %{{.*}}, %c16_i32
// The state behind the lane below starts this lane's steps.
// LANES: gpu.shuffle up %{{.*}}, %c8_i32
// All have read the carry before one of them overwrites it.
// LANES: nvvm.bar.warp.sync

// Many lanes and two states a trip: neighbouring lanes swap segments, so that
// each has one state of the pair over the steps of both. Four doubling steps of
// one state, not five of two; then each lane takes back what starts its steps.
// PAIRS-SAME: grid = ["d/1", "b/1"]
// PAIRS-COUNT-2: gpu.shuffle xor %{{.*}}, %c1_i32
// PAIRS-COUNT-2: gpu.shuffle up %{{.*}}, %c2_i32
// PAIRS-COUNT-2: gpu.shuffle up %{{.*}}, %c4_i32
// PAIRS-COUNT-2: gpu.shuffle up %{{.*}}, %c8_i32
// PAIRS: gpu.shuffle up %{{.*}}, %c16_i32
// PAIRS: gpu.shuffle up %{{.*}}, %c2_i32
// PAIRS: gpu.shuffle xor %{{.*}}, %c1_i32
// PAIRS-NOT: gpu.shuffle
// PAIRS: gpu.return

// A few warps along L: each reads the totals of those before it, behind one
// barrier.
// MEETING-SAME: block = 128 : i64
// MEETING-COUNT-4: gpu.shuffle
// MEETING: gpu.barrier
// MEETING-NOT: gpu.barrier
// MEETING: gpu.shuffle

// More of them: three levels up, three levels down, a barrier after each and
// one around the root.
// BLELLOCH-SAME: block = 256 : i64
// BLELLOCH-COUNT-4: gpu.shuffle
// BLELLOCH: gpu.barrier
// BLELLOCH: scf.for
// BLELLOCH: gpu.barrier
// BLELLOCH: scf.for
// BLELLOCH: gpu.barrier
// BLELLOCH: scf.for
// BLELLOCH: gpu.barrier
// BLELLOCH: gpu.barrier
// BLELLOCH: scf.for
// BLELLOCH: gpu.barrier
// BLELLOCH: scf.for
// BLELLOCH: gpu.barrier
// BLELLOCH: scf.for
// BLELLOCH: gpu.barrier

// Chunks: the carries of all but the last one, their scan, the main pass.
// Neither of the first two reads C or writes y.
// CHUNKS: name = "chunk_decay"
// CHUNKS: name = "chunk_carry"
// CHUNKS: gpu.func @scan_0_carries
// CHUNKS-SAME: args = ["ptr 0", "ptr 1", "ptr 2", "ptr 3", "ptr 4", "ptr 7", "ptr 8"
// CHUNKS-SAME: grid = ["d/8", "b/1", "./7"]
// CHUNKS: gpu.func @scan_0_chunks0
// CHUNKS-SAME: args = ["ptr 7", "ptr 8"
// CHUNKS-SAME: grid = ["d/8", "b/1"]
// CHUNKS: gpu.func @scan_0(
// CHUNKS-SAME: grid = ["d/8", "b/1", "./8"]
func.func @scan(%u_: tensor<?x?x?xf32>, %delta: tensor<?x?x?xf32>,
                %A: tensor<?x16xf32>, %B: tensor<?x?x1x16xf32>,
                %C: tensor<?x?x1x16xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x16xf32>) {
  %y, %hT = ssm.fused (%u = %u_[b, l, d] : tensor<?x?x?xf32>,
                       %dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                       %a = %A[d, n] : tensor<?x16xf32>,
                       %bm = %B[b, l, g, n] : tensor<?x?x1x16xf32>,
                       %cm = %C[b, l, g, n] : tensor<?x?x1x16xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, d, n] : tensor<?x?x16xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %du = arith.mulf %dt, %u : f32
    %in = arith.mulf %du, %bm : f32
    %h, %last = ssm.recurrence %decay, %in : f32
    %hc = arith.mulf %h, %cm : f32
    %s = ssm.sum %hc over n : f32
    ssm.yield %s, %last : f32, f32
  }
  return %y, %hT : tensor<?x?x?xf32>, tensor<?x?x16xf32>
}
