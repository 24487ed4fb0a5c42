// What the states give is not linear in their sum.
#bld = affine_map<(b, l, d) -> (b, l, d)>
func.func @saturated(%a: tensor<?x?x?x8xf32> {ssm.name = "a"},
                     %b: tensor<?x?x?x8xf32> {ssm.name = "b"},
                     %C: tensor<?x8xf32> {ssm.name = "C"},
                     %h0: tensor<?x?x8xf32> {ssm.name = "h0"})
    -> tensor<?x?x?xf32> {
  %t = math.tanh %a : tensor<?x?x?x8xf32>
  %h, %last = ssm.scan %t, %b init(%h0)
    : tensor<?x?x?x8xf32>, tensor<?x?x8xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x8xf32>, tensor<?x8xf32> -> tensor<?x?x?xf32>
  %r = math.sin %y : tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}
