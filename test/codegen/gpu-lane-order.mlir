// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, prefetch = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,PAIRS
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, prefetch = 2>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,ALONG
// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 32, prefetch = 1>}" --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefix=ONE
// RUN: sed 's/\[b, d, l\]/[b, l, d]/' %s | mamba-opt --ssm-schedule="schedule={#ssm.schedule<lanes = 4, prefetch = 1>}" --ssm-lower-to-gpu --canonicalize --cse | FileCheck %s --check-prefix=ACROSS

// Steps side by side: lanes in pairs take two channels, and read the same steps
// of what channels share; a segment is two lanes from the next one. Where steps
// are copied, and where a warp has one channel, neighbours are segments.
// CHECK: gpu.func @scan_0
// PAIRS: gpu.shuffle up %{{.*}}, %c2_i32
// PAIRS: gpu.shuffle up %{{.*}}, %c4_i32
// ALONG: gpu.shuffle up %{{.*}}, %c1_i32
// ALONG: gpu.shuffle up %{{.*}}, %c2_i32
// ONE: gpu.func @scan_0
// ONE: gpu.shuffle up %{{.*}}, %c1_i32

// Channels side by side: so are the lanes that take them, 8 of a segment.
// ACROSS: gpu.func @scan_0
// ACROSS: gpu.shuffle up %{{.*}}, %c8_i32
// ACROSS: gpu.shuffle up %{{.*}}, %c16_i32
func.func @scan(%delta: tensor<?x?x?xf32>, %A: tensor<?x8xf32>,
                %B: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %last = ssm.fused (%dt = %delta[b, d, l] : tensor<?x?x?xf32>,
                     %a = %A[d, n] : tensor<?x8xf32>,
                     %b = %B[b, l, n] : tensor<?x?x8xf32>)
      -> ([b, d, n] : tensor<?x?x8xf32>) {
    %x = arith.mulf %dt, %a : f32
    %decay = math.exp2 %x : f32
    %in = arith.mulf %dt, %b : f32
    %h, %end = ssm.recurrence %decay, %in : f32
    ssm.yield %end : f32
  }
  return %last : tensor<?x?x8xf32>
}
