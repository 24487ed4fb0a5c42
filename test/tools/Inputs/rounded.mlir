// States that are rounded on the way, as under autocast, and a decay within
// bounds.
#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>
!f = tensor<?x?x?xf32>
!h = tensor<?x?x?xbf16>
func.func @rounded(%g: !f, %x: !f, %z: !h, %least: tensor<?xf32>) -> !h {
  %most = arith.constant 0.999 : f32
  %a = linalg.generic {indexing_maps = [#bld, #d, #bld],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%g, %least : !f, tensor<?xf32>) outs(%g : !f) {
  ^bb0(%gt: f32, %low: f32, %out: f32):
    %c = math.clampf %gt to [%low, %most] : f32
    linalg.yield %c : f32
  } -> !f
  %h, %last = ssm.scan %a, %x : !f
  %narrow = arith.truncf %h : !f to !h
  %wide = arith.extf %narrow : !h to !f
  %z32 = arith.extf %z : !h to !f
  %y = arith.mulf %wide, %z32 : !f
  %o = arith.truncf %y : !f to !h
  return %o : !h
}
