// Functions of halves: each is rounded, by every device and by the reference.
func.func @halves(%us: tensor<?x?x?xbf16>, %ws: tensor<?x?x?xf16>)
    -> tensor<?x?x?xf32> {
  %o = ssm.fused (%u = %us[b, l, d] : tensor<?x?x?xbf16>,
                  %w = %ws[b, l, d] : tensor<?x?x?xf16>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %half = arith.constant 0.5 : f32
    %e = math.exp %u : bf16
    %t = math.tanh %e : bf16
    %q = math.trunc %e : bf16
    %s = arith.addf %t, %q : bf16
    %isFinite = math.isfinite %w : f16
    %c = math.cos %w : f16
    %m = math.absf %c : f16
    %p = arith.select %isFinite, %m, %w : f16
    %s32 = arith.extf %s : bf16 to f32
    %p32 = arith.extf %p : f16 to f32
    %x = arith.mulf %s32, %p32 : f32
    %h, %last = ssm.recurrence %half, %x : f32
    ssm.yield %h : f32
  }
  return %o : tensor<?x?x?xf32>
}
