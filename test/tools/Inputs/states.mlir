// Three states a channel, constant A, B and C.
func.func @filter(%u: tensor<?x?x?xf32>, %delta: tensor<?xf32>,
                  %A: tensor<?x3xf32>, %B: tensor<?x3xf32>,
                  %C: tensor<?x3xf32>) -> tensor<?x?x?xf32> {
  %a, %b = ssm.discretize zoh %delta, %A, %B, %u
    : tensor<?xf32>, tensor<?x3xf32>, tensor<?x3xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x3xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x3xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x3xf32>, tensor<?x3xf32> -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}
