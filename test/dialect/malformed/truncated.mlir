// RUN: not mamba-opt %s 2>&1 | FileCheck %s

// CHECK: truncated.mlir:[[@LINE+2]]:{{[0-9]+}}: error: expected SSA operand
func.func @f(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>,
