// A leaky integrator, h_t = exp(delta_t A) h_(t-1) + delta_t u_t, written as
// the kernel itself. Values of the body depend on the axes of what goes in.

func.func @leaky(%u: tensor<?x?x?xf32>, %delta: tensor<?x?x?xf32>,
                 %A: tensor<?xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xf32>,
                  %dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %rate = %A[d] : tensor<?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %e = arith.mulf %dt, %rate : f32
    %a = math.exp %e : f32
    %b = arith.mulf %dt, %x : f32
    %h, %last = ssm.recurrence %a, %b : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x?xf32>
}
