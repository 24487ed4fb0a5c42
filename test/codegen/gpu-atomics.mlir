// RUN: mamba-opt --ssm-lower-to-gpu --canonicalize --cse %s | FileCheck %s --check-prefix=GPU
// RUN: mamba-translate %s --to=ptx --target=sm_80 | FileCheck %s --check-prefixes=CHECK,SM80
// RUN: mamba-translate %s --to=ptx --target=sm_90 | FileCheck %s --check-prefixes=CHECK,SM90
// RUN: mamba-translate %s --to=ptx --target=sm_100 | FileCheck %s --check-prefixes=CHECK,SM100
// RUN: mamba-translate %s --to=cuda --target=sm_90 | FileCheck %s --check-prefix=CUDA

// A sum for each group, zero at first, in place of one for each block; sums over
// steps are added in their order, as ever.
// GPU: ssm.plan = {{.*}}axes = ".bnl", {{[^}]*}}extents = array<i64: 2, -1, 4, -1>, {{[^}]*}}name = "partial_sums", zeroed = true}
// GPU-SAME: axes = "bnd", {{[^}]*}}name = "partial_sums", zeroed = false}
// GPU: gpu.func @totals_0(
// GPU: llvm.atomicrmw fadd %{{.*}}, %{{.*}} syncscope("device") monotonic {alignment = 16 : i64} : !llvm.ptr<1>, vector<4xf32>
// GPU: gpu.func @totals_0_totals
// GPU-NOT: atomic

// Four floats are one instruction from sm_90 on.
// SM80: .version 7.0
// SM90: .version 8.1
// SM100: .version 8.6
// CHECK: .entry totals_0(
// SM80-COUNT-4: atom.global.add.f32
// SM90: red.relaxed.gpu.global.add.v4.f32
// SM100: red.relaxed.gpu.global.add.v4.f32
// CHECK: .entry totals_0_totals
// CHECK-NOT: {{atom|red}}.
// CUDA: red.relaxed.gpu.global.add.v4.f32
// CUDA: atomicAdd(&to->at[i], x.at[i])
// CUDA: add_global((f32x4 *)
func.func @totals(%x_: tensor<?x?x?x4xf32>)
    -> (tensor<?x?x2x4xbf16>, tensor<?x4xf32>)
    attributes {ssm.channel_multiple = 32 : i64, ssm.length_multiple = 16 : i64} {
  %0, %1 = ssm.fused (%x = %x_[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, g, n] : tensor<?x?x2x4xbf16>, [d, n] : tensor<?x4xf32>)
      schedule(#ssm.schedule<lanes = 8, items = 4, warps_d = 4, atomics = 1>) {
    %g = ssm.total %x over <g> : f32 -> bf16
    %s = ssm.total %x over <b, l> : f32 -> f32
    ssm.yield %g, %s : bf16, f32
  }
  return %0, %1 : tensor<?x?x2x4xbf16>, tensor<?x4xf32>
}
