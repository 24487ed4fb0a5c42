func.func @twice(%x: tensor<?x?x?xf32> {ssm.name = "x"}) -> (tensor<?xf32>, tensor<?xf32>) {
  %a, %b = ssm.fused (%e = %x[b, l, d] : tensor<?x?x?xf32>) -> ([d] : tensor<?xf32>, [d] : tensor<?xf32>) {
    %t = ssm.total %e over <b, l> : f32 -> f32
    ssm.yield %t, %t : f32, f32
  }
  return %a, %b : tensor<?xf32>, tensor<?xf32>
}
