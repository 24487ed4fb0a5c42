// A residual: what it adds, gradients do not read.

#bld = affine_map<(b, l, d) -> (b, l, d)>
func.func @lin(%a: tensor<?x?x?xf32> {ssm.name = "a"}, %b: tensor<?x?x?xf32> {ssm.name = "b"}, %r: tensor<?x?x?xf32> {ssm.name = "r"}) -> tensor<?x?x?xf32> {
  %h, %last = ssm.scan %a, %b : tensor<?x?x?xf32>
  %y = linalg.generic {indexing_maps = [#bld, #bld, #bld], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%h, %r : tensor<?x?x?xf32>, tensor<?x?x?xf32>) outs(%h : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %z: f32, %out: f32):
    %s = arith.addf %x, %z : f32
    linalg.yield %s : f32
  } -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}
