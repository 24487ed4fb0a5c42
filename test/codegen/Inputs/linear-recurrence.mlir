// h_t = a_t h_(t-1) + b_t, for each channel.
func.func @recurrence(%a: tensor<?x?x?xf32> {ssm.name = "a"},
                      %b: tensor<?x?x?xf32> {ssm.name = "b"},
                      %h0: tensor<?x?xf32> {ssm.name = "h0"})
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>) {
  %h, %last = ssm.scan %a, %b init(%h0) : tensor<?x?x?xf32>, tensor<?x?xf32>
  return %h, %last : tensor<?x?x?xf32>, tensor<?x?xf32>
}
