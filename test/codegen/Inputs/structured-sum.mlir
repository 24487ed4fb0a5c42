// y = sum over n of tanh(h) w, with a sum that linalg writes.
#full = affine_map<(b, l, d, n) -> (b, l, d, n)>
#step = affine_map<(b, l, d, n) -> (b, l, n)>
#y = affine_map<(b, l, d, n) -> (b, l, d)>
func.func @sum(%a: tensor<?x?x?x4xf32>, %w: tensor<?x?x4xf32>,
               %s: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %h, %last = ssm.scan %a, %a : tensor<?x?x?x4xf32>
  %y = linalg.generic {
      indexing_maps = [#full, #step, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%h, %w : tensor<?x?x?x4xf32>, tensor<?x?x4xf32>)
      outs(%s : tensor<?x?x?xf32>) {
  ^bb0(%hh: f32, %ww: f32, %o: f32):
    %t = math.tanh %hh : f32
    %p = arith.mulf %t, %ww : f32
    %r = arith.addf %o, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}
