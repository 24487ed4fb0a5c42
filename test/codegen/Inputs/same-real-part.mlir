// Two results whose numbers, pairs of words, begin with the same word. Tiles
// are whole, so that both are stored in one block of code.
func.func @same_real_part(%x_: tensor<?x?x?xf32>, %y_: tensor<?x?x?xf32>)
    -> (tensor<?x?x?xcomplex<f32>>, tensor<?x?x?xcomplex<f32>>) {
  %0, %1 = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>,
                      %y = %y_[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xcomplex<f32>>, [b, l, d] : tensor<?x?x?xcomplex<f32>>)
      schedule(#ssm.schedule<lanes = 1, items = 4>) {
    %h, %last = ssm.recurrence %x, %y : f32
    %p = complex.create %h, %x : complex<f32>
    %q = complex.create %h, %y : complex<f32>
    ssm.yield %p, %q : complex<f32>, complex<f32>
  }
  return %0, %1 : tensor<?x?x?xcomplex<f32>>, tensor<?x?x?xcomplex<f32>>
}
