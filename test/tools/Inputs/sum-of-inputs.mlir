func.func @shares(%u: tensor<?x?x?xf32> {ssm.name = "u"}, %w: tensor<2x4xf32> {ssm.name = "w"})
    -> (tensor<?x?x?xf32>, tensor<?x4xf32>) {
  %y, %shares = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xf32>, %e = %w[g, n] : tensor<2x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [d, n] : tensor<?x4xf32>) {
    %half = arith.constant 0.5 : f32
    %h, %last = ssm.recurrence %half, %x : f32
    %square = arith.mulf %e, %e : f32
    %sum = ssm.sum %square over n : f32
    %share = arith.minimumf %sum, %square : f32
    %rest = arith.addf %share, %e : f32
    ssm.yield %h, %rest : f32, f32
  }
  return %y, %shares : tensor<?x?x?xf32>, tensor<?x4xf32>
}
