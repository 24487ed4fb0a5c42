// RUN: mamba-opt %s --ssm-lower-to-cpu --canonicalize --cse | FileCheck %s

// Three kernels where tasks share a sequence: what each chunk adds, the states
// at the chunks' starts, the results. They meet in three temporaries.

// CHECK: axes = ".bd"{{.*}}extents = array<i64: 4, -1, -1>{{.*}}name = "carry"
// CHECK-SAME: name = "decay"
// CHECK-SAME: name = "start"

// CHECK-LABEL: func.func @f_0_carries
// CHECK-SAME: grid = ["b/1", "d/16", "./4"]
// CHECK: %{{.*}}:2 = scf.for {{.*}} iter_args(%[[H:.*]] = %{{.*}}, %[[P:.*]] = %{{.*}})
// CHECK: math.fma %{{.*}}, %[[H]], %{{.*}}
// CHECK: math.fma %{{.*}}, %[[P]], %{{.*}}

// CHECK-LABEL: func.func @f_0_starts
// CHECK-SAME: grid = ["b/1", "d/16"]
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c4
// CHECK: math.fma

// CHECK-LABEL: func.func @f_0(
// CHECK-SAME: grid = ["b/1", "d/16", "./4"]
// CHECK: scf.for {{.*}} iter_args
func.func @f(%a_: tensor<?x?x?xf32>, %x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%a = %a_[b, l, d] : tensor<?x?x?xf32>, %x = %x_[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) schedule(#ssm.cpu_schedule<chunks = 4>) {
    %h, %last = ssm.recurrence %a, %x : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x?xf32>
}
