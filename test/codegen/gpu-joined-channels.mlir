// RUN: mamba-opt --ssm-schedule="schedule={#ssm.schedule<items = 4, channels = 2>}" --ssm-lower-to-gpu --canonicalize --cse --split-input-file %s | FileCheck %s

// Both channels of a thread at once, since they are neighbours in memory: a word
// a step of halves, of which each channel takes one.
// CHECK: gpu.func @even_0
// CHECK-COUNT-4: llvm.load %{{.*}} {alignment = 4 : i64} : !llvm.ptr<1> -> vector<1xi32>
// CHECK-COUNT-4: llvm.load %{{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xf32>
// CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : vector<2xbf16>, !llvm.ptr<1>
// CHECK: gpu.return
func.func @even(%a: tensor<?x?x64xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 16>},
                %b: tensor<?x?x64xf32> {ssm.layout = #ssm.layout<unit = 2, align = 16>})
    -> (tensor<?x?x64xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 16>})
    attributes {ssm.channel_multiple = 16} {
  %y = ssm.fused (%x = %a[b, l, d] : tensor<?x?x64xbf16>,
                  %in = %b[b, l, d] : tensor<?x?x64xf32>)
      -> ([b, l, d] : tensor<?x?x64xbf16>) {
    %decay = arith.extf %x : bf16 to f32
    %h, %end = ssm.recurrence %decay, %in : f32
    %half = arith.truncf %h : f32 to bf16
    ssm.yield %half : bf16
  }
  return %y : tensor<?x?x64xbf16>
}

// -----

// Where the last channel may be alone, each channel reads for itself.
// CHECK: gpu.func @odd_0
// CHECK-NOT: vector<1xi32>
// CHECK: llvm.load %{{.*}} {alignment = 2 : i64} : !llvm.ptr<1> -> bf16
// CHECK-NOT: vector<1xi32>
// CHECK: llvm.store %{{.*}} {alignment = 2 : i64} : bf16, !llvm.ptr<1>
// CHECK: gpu.return
func.func @odd(%a: tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 16>})
    -> (tensor<?x?x?xbf16> {ssm.layout = #ssm.layout<unit = 2, align = 16>}) {
  %y = ssm.fused (%x = %a[b, l, d] : tensor<?x?x?xbf16>)
      -> ([b, l, d] : tensor<?x?x?xbf16>) {
    %decay = arith.extf %x : bf16 to f32
    %h, %end = ssm.recurrence %decay, %decay : f32
    %half = arith.truncf %h : f32 to bf16
    ssm.yield %half : bf16
  }
  return %y : tensor<?x?x?xbf16>
}
