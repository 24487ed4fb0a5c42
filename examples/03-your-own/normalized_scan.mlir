// A selective scan with forget gate, input gate and normalizer: the mLSTM of
// xLSTM (Beck et al. 2024, section 2.3) with sigmoid gates. Per channel d and
// state n, with B the keys, C the queries and v the values:
//
//   h_t = f_t h_(t-1) + i_t B_t v_t          what is remembered
//   m_t = f_t m_(t-1) + i_t B_t              how much was put in
//   y_t = sum_n(h_t C_t) / max(|sum_n(m_t C_t)|, 1)
//
// Two recurrences that meet in the output. They share one pass over the data;
// neither h nor m reaches memory.

#bld = affine_map<(b, l, d) -> (b, l, d)>
#bldn_bld = affine_map<(b, l, d, n) -> (b, l, d)>
#bldn_B = affine_map<(b, l, d, n) -> (b, l, 0, n)>
#bldn = affine_map<(b, l, d, n) -> (b, l, d, n)>
!bld = tensor<?x?x?xf32>
!B = tensor<?x?x1x16xf32>
!states = tensor<?x?x?x16xf32>

func.func @normalized_scan(%v: !bld, %f: !bld, %i: !bld, %B: !B, %C: !B)
    -> !bld {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %batch = tensor.dim %v, %c0 : !bld
  %length = tensor.dim %v, %c1 : !bld
  %channels = tensor.dim %v, %c2 : !bld
  %shape = tensor.empty(%batch, %length, %channels) : !states

  %a, %bh, %bm = linalg.generic {
      indexing_maps = [#bldn_bld, #bldn_bld, #bldn_bld, #bldn_B,
                       #bldn, #bldn, #bldn],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%v, %f, %i, %B : !bld, !bld, !bld, !B)
      outs(%shape, %shape, %shape : !states, !states, !states) {
  ^bb0(%vt: f32, %ft: f32, %it: f32, %key: f32,
       %out0: f32, %out1: f32, %out2: f32):
    %fn = arith.negf %ft : f32
    %fe = math.exp %fn : f32
    %fd = arith.addf %one, %fe : f32
    %forget = arith.divf %one, %fd : f32
    %in = arith.negf %it : f32
    %ie = math.exp %in : f32
    %id = arith.addf %one, %ie : f32
    %input = arith.divf %one, %id : f32
    %put = arith.mulf %input, %key : f32
    %value = arith.mulf %put, %vt : f32
    linalg.yield %forget, %value, %put : f32, f32, f32
  } -> (!states, !states, !states)

  %h, %hlast = ssm.scan %a, %bh : !states
  %m, %mlast = ssm.scan %a, %bm : !states
  %num = ssm.readout %h, %C : !states, !B -> !bld
  %den = ssm.readout %m, %C : !states, !B -> !bld

  %y = linalg.generic {
      indexing_maps = [#bld, #bld, #bld],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%num, %den : !bld, !bld) outs(%num : !bld) {
  ^bb0(%p: f32, %q: f32, %out: f32):
    %size = math.absf %q : f32
    %bounded = arith.maximumf %size, %one : f32
    %r = arith.divf %p, %bounded : f32
    linalg.yield %r : f32
  } -> !bld
  return %y : !bld
}
