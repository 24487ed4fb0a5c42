// RUN: not mamba-opt --ssm-differentiate="function=nope" %s 2>&1 | FileCheck %s

// CHECK: error: cannot be differentiated: there is no function @nope with a body
func.func @f(%x: tensor<3xf32>) -> tensor<3xf32> {
  return %x : tensor<3xf32>
}
