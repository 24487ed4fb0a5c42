// The RG-LRU of Griffin (De et al. 2024, section 2.4):
//
//   r_t = sigmoid(r), i_t = sigmoid(i)       gates, from linear layers outside
//   log a_t = -8 softplus(Lambda) r_t
//   h_t = a_t h_(t-1) + sqrt(1 - a_t^2) i_t x_t
//
// One state a channel. sqrt(1 - a^2) is written as sqrt(-expm1(2 log a)), which
// is exact where a is close to 1.

#bld = affine_map<(b, l, d) -> (b, l, d)>
#d = affine_map<(b, l, d) -> (d)>
!bf16 = tensor<?x?x?xbf16>
!f32 = tensor<?x?x?xf32>

func.func @rg_lru(%x: !bf16, %r: !bf16, %i: !bf16, %Lambda: tensor<?xf32>,
                  %h0: tensor<?x?xf32>) -> (!bf16, tensor<?x?xf32>) {
  %x32 = arith.extf %x : !bf16 to !f32
  %r32 = arith.extf %r : !bf16 to !f32
  %i32 = arith.extf %i : !bf16 to !f32
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  %minus8 = arith.constant -8.0 : f32
  %a, %b = linalg.generic {
      indexing_maps = [#bld, #bld, #bld, #d, #bld, #bld],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x32, %r32, %i32, %Lambda : !f32, !f32, !f32, tensor<?xf32>)
      outs(%x32, %x32 : !f32, !f32) {
  ^bb0(%xt: f32, %rt: f32, %it: f32, %lambda: f32, %out0: f32, %out1: f32):
    // softplus(Lambda): once a channel, since nothing else goes in.
    %e = math.exp %lambda : f32
    %softplus = math.log1p %e : f32
    %rate = arith.mulf %minus8, %softplus : f32

    %rn = arith.negf %rt : f32
    %re = math.exp %rn : f32
    %rd = arith.addf %one, %re : f32
    %loga = arith.divf %rate, %rd : f32
    %decay = math.exp %loga : f32

    %in = arith.negf %it : f32
    %ie = math.exp %in : f32
    %id = arith.addf %one, %ie : f32
    %gated = arith.divf %xt, %id : f32

    %log2a = arith.mulf %two, %loga : f32
    %m = math.expm1 %log2a : f32
    %p = arith.negf %m : f32
    %scale = math.sqrt %p : f32
    %input = arith.mulf %scale, %gated : f32
    linalg.yield %decay, %input : f32, f32
  } -> (!f32, !f32)
  %h, %last = ssm.scan %a, %b init(%h0) : !f32, tensor<?x?xf32>
  %y = arith.truncf %h : !f32 to !bf16
  return %y, %last : !bf16, tensor<?x?xf32>
}
