func.func @"scan*/\0A__device__ int evil;//\\"(
    %u: tensor<?x?x?xf32> {ssm.name = "u;\0A} evil(); //\\"},
    %delta: tensor<?x?x?xf32> {ssm.name = "float"},
    %A: tensor<?xf32> {ssm.name = "ex2"},
    %b: tensor<?xf32> {ssm.name = "__launch_bounds__"})
    -> (tensor<?x?x?xf32> {ssm.name = "*/ \22"}) {
  %y = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xf32>,
                  %dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %rate = %A[d] : tensor<?xf32>,
                  %c = %b[d] : tensor<?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %e = arith.mulf %dt, %rate : f32
    %a = math.exp %e : f32
    %g = arith.mulf %c, %x : f32
    %h, %last = ssm.recurrence %a, %g : f32
    ssm.yield %h : f32
  }
  return %y : tensor<?x?x?xf32>
}
