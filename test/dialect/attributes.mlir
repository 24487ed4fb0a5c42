// RUN: mamba-opt %s | FileCheck %s
// RUN: mamba-opt %s --mlir-print-op-generic | mamba-opt | FileCheck %s
// RUN: mamba-opt %s --emit-bytecode | mamba-opt | FileCheck %s

// Fields at their defaults are not printed.
// CHECK-LABEL: func.func @schedules
// CHECK-SAME: a = #ssm.schedule<>
// CHECK-SAME: b = #ssm.schedule<lanes = 16, items = 4, warps_l = 4, warps_d = 2, chunks = 8, handoff = 1, unroll = 2, stages = 2, prefetch = 1, min_blocks = 3>
// CHECK-SAME: c = #ssm.cpu_schedule<>
// CHECK-SAME: d = #ssm.cpu_schedule<vector = 64, items = 256, chunks = 1024>
// CHECK-SAME: e = #ssm.schedule<>
// CHECK-SAME: f = #ssm.schedule<warps_l = 12, relay = 1, packed = 1, apart = 4, fma_exps = 2>
// CHECK-SAME: g = #ssm.schedule<chunks = 9, carry_parts = 3, last_chunk = 2, atomics = 1>
func.func @schedules() attributes {
    a = #ssm.schedule<>,
    b = #ssm.schedule<chunks = 8, lanes = 16, items = 4, warps_l = 4, warps_d = 2, unroll = 2, prefetch = 1, handoff = 1, stages = 2, min_blocks = 3>,
    c = #ssm.cpu_schedule<>,
    d = #ssm.cpu_schedule<vector = 64, items = 256, chunks = 1024>,
    e = #ssm.schedule<lanes = 1, items = 8>,
    f = #ssm.schedule<warps_l = 12, relay = 1, packed = 1, apart = 4, fma_exps = 2>,
    g = #ssm.schedule<last_chunk = 2, chunks = 9, carry_parts = 3, atomics = 1>} {
  return
}

// CHECK-LABEL: func.func @accesses
// CHECK-SAME: a = #ssm.access<b, l, g, n>
// CHECK-SAME: b = #ssm.access<>
// CHECK-SAME: c = #ssm.access<b, l/64, d, n>
func.func @accesses() attributes {a = #ssm.access<b, l, g, n>, b = #ssm.access<>,
                                  c = #ssm.access<b, l/64, d, n>} {
  return
}

// CHECK-LABEL: func.func @layouts
// CHECK-SAME: (%{{.*}}: tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = 1, align = 16>, ssm.name = "u"})
// CHECK-SAME: -> (tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = -1, align = 4, stride = 64, dim = 1>})
// CHECK-SAME: ssm.channel_multiple = 8 : i64, ssm.length_multiple = 16 : i64
func.func @layouts(%u: tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = 1, align = 16>, ssm.name = "u"})
    -> (tensor<?x?x?xf32> {ssm.layout = #ssm.layout<unit = -1, align = 4, stride = 64, dim = 1>})
    attributes {ssm.channel_multiple = 8 : i64, ssm.length_multiple = 16 : i64} {
  return %u : tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func private @enums
// CHECK-SAME: #ssm<activation gelu>
// CHECK-SAME: #ssm<rule bilinear>
func.func private @enums() attributes {a = #ssm<activation gelu>, b = #ssm<rule bilinear>}
