// Nothing of the dialect: no scan, no name.
func.func @plain(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  %sum = arith.addf %a, %b : tensor<?x?x?xf32>
  return %sum : tensor<?x?x?xf32>
}
