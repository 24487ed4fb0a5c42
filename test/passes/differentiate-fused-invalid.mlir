// RUN: mamba-opt --ssm-differentiate --verify-diagnostics %s

func.func @groups(%u: tensor<?x?x?xf32>, %h0: tensor<1x4xf32>)
    -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xf32>,
                  %i = %h0[g, n] : tensor<1x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    // expected-error@+1 {{cannot be expanded to model IR: its init is of groups}}
    %h, %last = ssm.recurrence %x, %x init(%i) : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %y : tensor<?x?x?xf32>
}
