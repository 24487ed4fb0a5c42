// RUN: not mamba-opt %s --ssm-recompute=every=-3 2>&1 | FileCheck %s --check-prefix=OFTEN
// OFTEN: error: cannot save states every -3 steps, expected a positive number, or 0 for none
// RUN: not mamba-opt %s --ssm-differentiate 2>&1 | FileCheck %s --check-prefix=TWICE
// TWICE: [[@LINE+2]]:{{[0-9]+}}: error: cannot be differentiated: it saves states, or starts from saved ones; run --ssm-recompute afterwards
func.func @f(%a: tensor<?x?x?xf32>) -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  %h, %last, %saved = ssm.scan %a, %a save every 8 : tensor<?x?x?xf32>
  return %h, %saved : tensor<?x?x?xf32>, tensor<?x?x?xf32>
}
