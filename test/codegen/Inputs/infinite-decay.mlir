// A constant of minus infinity, a reset at every step, among finite ones; of no
// chunk's last step is anything left.
func.func @infinite_decay(%x_: tensor<?x?x?xf32>, %a_: tensor<?x8xf32>)
    -> tensor<?x?x?xf32> {
  %0 = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>,
                  %a = %a_[d, n] : tensor<?x8xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %never = arith.constant 0xFF800000 : f32
    %zero = arith.constant 0.0 : f32
    %half = arith.constant 0.5 : f32
    %size = math.absf %x : f32
    %dt = arith.addf %size, %half : f32
    %isPositive = arith.cmpf ogt, %a, %zero : f32
    %c = arith.select %isPositive, %never, %a : f32
    %t = arith.mulf %dt, %c : f32
    %e = math.exp2 %t : f32
    %h, %last = ssm.recurrence %e, %x : f32
    %y = ssm.sum %h over n : f32
    ssm.yield %y : f32
  }
  return %0 : tensor<?x?x?xf32>
}
