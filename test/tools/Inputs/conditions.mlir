func.func @sel(%u: tensor<?x?x?xf32> {ssm.name = "u"}, %A: tensor<?x4xf32> {ssm.name = "A"}, %B: tensor<?x?x1x4xf32> {ssm.name = "B"}, %s: tensor<?x?xf32> {ssm.name = "s"}) -> (tensor<?x?x?xf32>, tensor<?x?x4xf32>) {
  %a, %b = ssm.fused (%e = %u[b, l, d] : tensor<?x?x?xf32>, %x = %A[d, n] : tensor<?x4xf32>, %w = %B[b, l, g, n] : tensor<?x?x1x4xf32>, %v = %s[b, l] : tensor<?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>, [b, d, n] : tensor<?x?x4xf32>) {
    %z = arith.constant 0.1 : f32
    %c = arith.cmpf ogt, %x, %z : f32
    %q = arith.cmpf olt, %w, %v : f32
    %k = arith.select %c, %e, %z : f32
    %m = arith.select %q, %k, %w : f32
    %t = math.tanh %x : f32
    %h, %last = ssm.recurrence %t, %m : f32
    %y = ssm.sum %h over n : f32
    %g = arith.select %c, %last, %z : f32
    ssm.yield %y, %g : f32, f32
  }
  return %a, %b : tensor<?x?x?xf32>, tensor<?x?x4xf32>
}
