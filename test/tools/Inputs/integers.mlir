// Integers whose sign counts: true is -1 where i1 is signed, and what is cut keeps
// its last bits.
func.func @integers(%us: tensor<?x?x?xf32>, %ws: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  %o = ssm.fused (%u = %us[b, l, d] : tensor<?x?x?xf32>,
                  %w = %ws[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %half = arith.constant 0.5 : f32
    %zero = arith.constant 0.0 : f32
    %scale = arith.constant 100000.0 : f32
    %p = arith.cmpf ogt, %u, %zero : f32
    %q = arith.cmpf ogt, %w, %zero : f32
    %less = arith.cmpi slt, %p, %q : i1
    %atLeast = arith.cmpi sge, %p, %q : i1
    %largest = arith.maxsi %p, %q : i1
    %large = arith.mulf %u, %scale : f32
    %i = arith.fptosi %large : f32 to i32
    %index = arith.index_cast %i : i32 to index
    %cut = arith.index_castui %index : index to i16
    %a = arith.select %less, %u, %w : f32
    %b = arith.select %atLeast, %a, %half : f32
    %c = arith.uitofp %largest : i1 to f32
    %d = arith.sitofp %cut : i16 to f32
    %e = arith.addf %b, %c : f32
    %f = arith.addf %e, %d : f32
    %h, %last = ssm.recurrence %half, %f : f32
    ssm.yield %h : f32
  }
  return %o : tensor<?x?x?xf32>
}
