// The S6 layer of Mamba (Gu & Dao 2023, section 3): softplus of the biased
// step, discretize, scan, readout, D skip, silu gate. Half-precision
// activations, fp32 parameters and states.

#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>

func.func @selective_scan(
    %u: tensor<?x?x?xbf16> {ssm.name = "u"},
    %delta: tensor<?x?x?xbf16> {ssm.name = "delta"},
    %A: tensor<?x16xf32> {ssm.name = "A"},
    %B: tensor<?x?x1x16xbf16> {ssm.name = "B"},
    %C: tensor<?x?x1x16xbf16> {ssm.name = "C"},
    %D: tensor<?xf32> {ssm.name = "D"},
    %z: tensor<?x?x?xbf16> {ssm.name = "z"},
    %bias: tensor<?xf32> {ssm.name = "bias"})
    -> (tensor<?x?x?xbf16>, tensor<?x?x16xf32>) {
  %u32 = arith.extf %u : tensor<?x?x?xbf16> to tensor<?x?x?xf32>
  %delta32 = arith.extf %delta : tensor<?x?x?xbf16> to tensor<?x?x?xf32>
  %B32 = arith.extf %B : tensor<?x?x1x16xbf16> to tensor<?x?x1x16xf32>
  %C32 = arith.extf %C : tensor<?x?x1x16xbf16> to tensor<?x?x1x16xf32>
  %z32 = arith.extf %z : tensor<?x?x?xbf16> to tensor<?x?x?xf32>

  // dt = softplus(delta + bias)
  %dt = linalg.generic {indexing_maps = [#bld, #d, #bld],
                        iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%delta32, %bias : tensor<?x?x?xf32>, tensor<?xf32>)
      outs(%delta32 : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %b: f32, %out: f32):
    %s = arith.addf %x, %b : f32
    %e = math.exp %s : f32
    %p = math.log1p %e : f32
    %c20 = arith.constant 20.0 : f32
    %big = arith.cmpf ogt, %s, %c20 : f32
    %r = arith.select %big, %s, %p : f32
    linalg.yield %r : f32
  } -> tensor<?x?x?xf32>

  %a, %b = ssm.discretize mamba %dt, %A, %B32, %u32
    : tensor<?x?x?xf32>, tensor<?x16xf32>, tensor<?x?x1x16xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x16xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x16xf32>
  %y = ssm.readout %h, %C32
    : tensor<?x?x?x16xf32>, tensor<?x?x1x16xf32> -> tensor<?x?x?xf32>

  // y + D u
  %skip = linalg.generic {indexing_maps = [#bld, #d, #bld, #bld],
                          iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y, %D, %u32 : tensor<?x?x?xf32>, tensor<?xf32>, tensor<?x?x?xf32>)
      outs(%y : tensor<?x?x?xf32>) {
  ^bb0(%yy: f32, %dd: f32, %uu: f32, %out: f32):
    %du = arith.mulf %dd, %uu : f32
    %s = arith.addf %yy, %du : f32
    linalg.yield %s : f32
  } -> tensor<?x?x?xf32>

  %o = ssm.gate silu %skip, %z32 : tensor<?x?x?xf32>
  %o16 = arith.truncf %o : tensor<?x?x?xf32> to tensor<?x?x?xbf16>
  return %o16, %last : tensor<?x?x?xbf16>, tensor<?x?x16xf32>
}
