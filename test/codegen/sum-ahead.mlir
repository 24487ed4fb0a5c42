// RUN: mamba-run %s --random --device=simt --extents=B=2,L=100,D=19 --verify \
// RUN:     --schedule='#ssm.schedule<lanes = 2, items = 4, chunks = 3>' \
// RUN:   | FileCheck %s

// A recurrence reads a sum over n that no recurrence feeds: the pass over the
// chunks' carries computes it too.

// CHECK: result0 {{.*}} ok
func.func @sum_ahead(%a: tensor<?x?x?x4xf32>,
                                         %C: tensor<?x4xf32>)
    -> tensor<?x?x4xf32> {
  %y = ssm.readout %a, %C
    : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  %wide = linalg.broadcast ins(%y : tensor<?x?x?xf32>)
    outs(%a : tensor<?x?x?x4xf32>) dimensions = [3]
  %h, %l0 = ssm.scan %a, %a : tensor<?x?x?x4xf32>
  %in = arith.mulf %wide, %h : tensor<?x?x?x4xf32>
  %g, %last = ssm.scan %a, %in : tensor<?x?x?x4xf32>
  return %last : tensor<?x?x4xf32>
}
