// minGRU (Feng et al. 2024, section 3.1): a GRU whose gate and candidate don't
// look at the state, which makes it a scan:
//
//   z_t = sigmoid(k_t)                       k, v from linear layers outside
//   h_t = (1 - z_t) h_(t-1) + z_t v_t
//
// 1 - sigmoid(k) is sigmoid(-k): no difference of numbers close to 1.

#bld = affine_map<(b, l, d) -> (b, l, d)>
!bf16 = tensor<?x?x?xbf16>
!f32 = tensor<?x?x?xf32>

func.func @min_gru(%k: !bf16, %v: !bf16, %h0: tensor<?x?xf32>)
    -> (!bf16, tensor<?x?xf32>) {
  %k32 = arith.extf %k : !bf16 to !f32
  %v32 = arith.extf %v : !bf16 to !f32
  %one = arith.constant 1.0 : f32
  %a, %b = linalg.generic {
      indexing_maps = [#bld, #bld, #bld, #bld],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%k32, %v32 : !f32, !f32) outs(%k32, %k32 : !f32, !f32) {
  ^bb0(%kt: f32, %vt: f32, %out0: f32, %out1: f32):
    %e = math.exp %kt : f32
    %s = arith.addf %one, %e : f32
    %keep = arith.divf %one, %s : f32
    %n = arith.negf %kt : f32
    %f = math.exp %n : f32
    %t = arith.addf %one, %f : f32
    %take = arith.divf %vt, %t : f32
    linalg.yield %keep, %take : f32, f32
  } -> (!f32, !f32)
  %h, %last = ssm.scan %a, %b init(%h0) : !f32, tensor<?x?xf32>
  %y = arith.truncf %h : !f32 to !bf16
  return %y, %last : !bf16, tensor<?x?xf32>
}
