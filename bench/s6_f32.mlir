// The S6 layer of examples/01-selective-scan in fp32 throughout, for the
// comparison with PyTorch's loop (cpu.py).

#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>

func.func @selective_scan(
    %u: tensor<?x?x?xf32>, %delta: tensor<?x?x?xf32>,
    %A: tensor<?x16xf32>, %B: tensor<?x?x1x16xf32>, %C: tensor<?x?x1x16xf32>,
    %D: tensor<?xf32>, %z: tensor<?x?x?xf32>, %bias: tensor<?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x16xf32>) {
  // dt = softplus(delta + bias)
  %dt = linalg.generic {indexing_maps = [#bld, #d, #bld],
                        iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%delta, %bias : tensor<?x?x?xf32>, tensor<?xf32>)
      outs(%delta : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %b: f32, %out: f32):
    %s = arith.addf %x, %b : f32
    %e = math.exp %s : f32
    %p = math.log1p %e : f32
    %c20 = arith.constant 20.0 : f32
    %big = arith.cmpf ogt, %s, %c20 : f32
    %r = arith.select %big, %s, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?x?xf32>

  %a, %b = ssm.discretize mamba %dt, %A, %B, %u
    : tensor<?x?x?xf32>, tensor<?x16xf32>, tensor<?x?x1x16xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x16xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x16xf32>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x16xf32>, tensor<?x?x1x16xf32> -> tensor<?x?x?xf32>

  // y + D u
  %skip = linalg.generic {indexing_maps = [#bld, #d, #bld, #bld],
                          iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y, %D, %u : tensor<?x?x?xf32>, tensor<?xf32>, tensor<?x?x?xf32>)
      outs(%y : tensor<?x?x?xf32>) {
  ^bb0(%yy: f32, %dd: f32, %uu: f32, %out: f32):
    %du = arith.mulf %dd, %uu : f32
    %s = arith.addf %yy, %du : f32
    linalg.yield %s : f32
  } -> tensor<?x?x?xf32>

  %o = ssm.gate silu %skip, %z : tensor<?x?x?xf32>
  return %o, %last : tensor<?x?x?xf32>, tensor<?x?x16xf32>
}
