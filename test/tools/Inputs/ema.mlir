// h_t = a h_(t-1) + (1 - a) u_t with a = exp(-exp(rate)): an exponential moving
// average a channel.
#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>

func.func @ema(%u: tensor<?x?x?xf32>, %rate: tensor<?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?xf32>) {
  %a, %b = linalg.generic {indexing_maps = [#bld, #d, #bld, #bld],
                           iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%u, %rate : tensor<?x?x?xf32>, tensor<?xf32>)
      outs(%u, %u : tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %r: f32, %out0: f32, %out1: f32):
    %speed = math.exp %r : f32
    %exponent = arith.negf %speed : f32
    %decay = math.exp %exponent : f32
    %one = arith.constant 1.0 : f32
    %gain = arith.subf %one, %decay : f32
    %in = arith.mulf %gain, %x : f32
    linalg.yield %decay, %in : f32, f32
  } -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>)
  %h, %last = ssm.scan %a, %b : tensor<?x?x?xf32>
  return %h, %last : tensor<?x?x?xf32>, tensor<?x?xf32>
}
