// Infinite numbers and others that are none, told apart on the way.
#bld = affine_map<(b, l, d) -> (b, l, d)>
!f = tensor<?x?x?xf32>
func.func @kinds(%a: !f, %u: !f) -> !f {
  %v = linalg.generic {indexing_maps = [#bld, #bld],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%u : !f) outs(%u : !f) {
  ^bb0(%x: f32, %out: f32):
    %infinity = arith.constant 0x7F800000 : f32
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2.0 : f32
    %isAbove = arith.cmpf ogt, %x, %zero : f32
    %large = arith.select %isAbove, %infinity, %x : f32
    %isInfinite = math.isinf %large : f32
    %rest = arith.subf %large, %large : f32
    %isNone = math.isnan %rest : f32
    %isFinite = math.isfinite %large : f32
    %p = arith.select %isInfinite, %one, %x : f32
    %q = arith.select %isNone, %two, %x : f32
    %r = arith.select %isFinite, %x, %p : f32
    %s = arith.addf %q, %r : f32
    linalg.yield %s : f32
  } -> !f
  %h, %last = ssm.scan %a, %v : !f
  return %h : !f
}
