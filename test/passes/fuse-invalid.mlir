// RUN: mamba-opt --ssm-fuse --split-input-file --verify-diagnostics %s

func.func @conflicting_axes(%a: tensor<4x4x4x4xf32>, %h0: tensor<4x4x4xf32>)
    -> tensor<4x4x4xf32> {
  // expected-note @below {{the tensor is this one}}
  %init = math.exp %h0 : tensor<4x4x4xf32>
  %h, %l0 = ssm.scan %a, %a init(%init) : tensor<4x4x4x4xf32>, tensor<4x4x4xf32>
  // expected-error @below {{cannot be fused: 'tensor<4x4x4xf32>' has the axes [b, l, d] here but [b, d, n] elsewhere}}
  %g, %l1 = ssm.scan %init, %init : tensor<4x4x4xf32>
  %r = arith.addf %g, %l0 : tensor<4x4x4xf32>
  return %r : tensor<4x4x4xf32>
}

// -----

// expected-note @below {{the tensor is this one}}
func.func @unknown_axes(%a: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{cannot be fused: nothing tells the axes of 'tensor<?x?xf32>', found [?, ?]}}
  %r = math.exp %a : tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @one_axis_twice(%a: tensor<?x?x?xf32>, %b: tensor<?x?xf32>)
    -> tensor<?x?x?xf32> {
  // expected-error @below {{'tensor<?x?xf32>' has the axes [b, b]: axis 'b' stands twice in an access}}
  %r = linalg.generic {
      indexing_maps = [affine_map<(b, l, d) -> (b, b)>,
                       affine_map<(b, l, d) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%b : tensor<?x?xf32>) outs(%a : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.addf %x, %o : f32
    linalg.yield %s : f32
  } -> tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}

// -----

func.func @strided_map(%a: tensor<?x?x?xf32>, %b: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  // expected-error @below {{operand 0 has the indexing map affine_map<(d0, d1, d2) -> (d0, d1 * 2, d2)>, expected loops only}}
  %r = linalg.generic {
      indexing_maps = [affine_map<(b, l, d) -> (b, 2 * l, d)>,
                       affine_map<(b, l, d) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%b : tensor<?x?x?xf32>) outs(%a : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %o: f32):
    linalg.yield %x : f32
  } -> tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}

// -----

func.func @linalg_index(%a: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(b, l, d) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%a : tensor<?x?x?xf32>) {
  ^bb0(%o: f32):
    // expected-error @below {{cannot be fused: expected a scalar op of arith, math or complex}}
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %f = arith.sitofp %j : i32 to f32
    linalg.yield %f : f32
  } -> tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}

// -----

func.func @count_of_bits(%a: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(b, l, d) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%a : tensor<?x?x?xf32>) {
  ^bb0(%x: f32):
    %i = arith.fptosi %x : f32 to i32
    // expected-error @below {{cannot be fused: 'math.ctpop' is none of the ops of math that a body may hold: absf, acos, }}
    %n = math.ctpop %i : i32
    %f = arith.sitofp %n : i32 to f32
    linalg.yield %f : f32
  } -> tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}

// -----

func.func @reduction(%a: tensor<?x?x?xf32>, %o: tensor<?x?xf32>)
    -> tensor<?x?xf32> {
  // expected-error @below {{cannot be fused: its loops reduce, and result 0 is no sum (what it was plus a term)}}
  %r = linalg.reduce { arith.maximumf } ins(%a : tensor<?x?x?xf32>)
    outs(%o : tensor<?x?xf32>) dimensions = [2]
  return %r : tensor<?x?xf32>
}

// -----

func.func @sum_over_channels(%a: tensor<?x?x?xf32>, %o: tensor<?x?xf32>)
    -> tensor<?x?xf32> {
  %s, %l = ssm.scan %a, %a : tensor<?x?x?xf32>
  // expected-error @below {{cannot be fused: it sums over the axis d and starts from other than a constant 0; add what it starts from to the sum}}
  %r = linalg.reduce { arith.addf } ins(%s : tensor<?x?x?xf32>)
    outs(%o : tensor<?x?xf32>) dimensions = [2]
  return %r : tensor<?x?xf32>
}

// -----

func.func @unsupported(%a: tensor<?x?x?xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{cannot be fused: expected ssm.discretize, scan, readout, gate, spread_groups or sum_groups, a linalg op that is parallel or sums, or elementwise arith and math on ranked tensors}}
  %r = tensor.collapse_shape %a [[0, 1], [2]]
    : tensor<?x?x?xf32> into tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @side_effect(%a: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // expected-error @below {{cannot be fused}}
  func.call @external() : () -> ()
  return %a : tensor<?x?x?xf32>
}
func.func private @external()

// -----

func.func @memory(%a: tensor<?x?x?xf32>, %m: memref<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  // expected-error @below {{expected tensors only, found an operand in memory}}
  linalg.exp ins(%m : memref<?x?x?xf32>) outs(%m : memref<?x?x?xf32>)
  return %a : tensor<?x?x?xf32>
}

// -----

func.func @table(%a: tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
  // expected-error @below {{a constant tensor must be a splat; pass others as arguments}}
  %c = arith.constant dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32>
  %r = arith.addf %a, %c : tensor<1x1x2xf32>
  return %r : tensor<1x1x2xf32>
}

// -----

func.func @scalar_argument(%a: tensor<?x?x?xf32>, %s: f32)
    -> tensor<?x?x?xf32> {
  %r = linalg.map ins(%a : tensor<?x?x?xf32>) outs(%a : tensor<?x?x?xf32>)
    (%x: f32, %o: f32) {
      // expected-error @below {{reads an argument of type 'f32', expected a ranked tensor}}
      %p = arith.mulf %x, %s : f32
      linalg.yield %p : f32
    }
  return %r : tensor<?x?x?xf32>
}

// -----

func.func @scalar_result(%s: f32) -> f32 {
  // expected-error @below {{result 0 has type 'f32', expected a ranked tensor}}
  return %s : f32
}

// -----

// expected-error @below {{found 2 blocks, expected one without control flow}}
func.func @blocks(%a: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  cf.br ^next
^next:
  return %a : tensor<?x?x?xf32>
}

// -----

// expected-error @below {{cannot be fused: nothing that the kernel reads has the axis b, so its extent is unknown}}
func.func @no_extents() -> tensor<1x1x2xf32> {
  %c = arith.constant dense<1.0> : tensor<1x1x2xf32>
  return %c : tensor<1x1x2xf32>
}

// -----

func.func @no_states(%u: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %delta = arith.constant dense<0.1> : tensor<2xf32>
  %A = arith.constant dense<-1.0> : tensor<2x4xf32>
  %a, %b = ssm.discretize mamba %delta, %A, %A, %u
    : tensor<2xf32>, tensor<2x4xf32>, tensor<2x4xf32>, tensor<?x?x2xf32>
    -> tensor<?x?x2x4xf32>
  // expected-error @below {{nothing that the kernel reads has the axis n}}
  %h, %last = ssm.scan %a, %b : tensor<?x?x2x4xf32>
  %y = ssm.readout %h, %A
    : tensor<?x?x2x4xf32>, tensor<2x4xf32> -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @unranked_cast(%a: tensor<?x?x?xf32>) -> tensor<?x?xf32> {
  %b = tensor.cast %a : tensor<?x?x?xf32> to tensor<*xf32>
  // expected-error @below {{cannot be fused}}
  %c = tensor.cast %b : tensor<*xf32> to tensor<?x?xf32>
  %r = math.exp %c : tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

func.func @truth(%a: tensor<?x?x?xf32>) -> tensor<?x?x?xi1> {
  // expected-error @below {{cannot be fused: a kernel would read or write 'tensor<?x?x?xi1>', expected f16, bf16, f32, f64 or complex}}
  %r = arith.cmpf olt, %a, %a : tensor<?x?x?xf32>
  return %r : tensor<?x?x?xi1>
}

// -----

#full = affine_map<(b, l, d, n, m) -> (b, l, d, n)>
#table = affine_map<(b, l, d, n, m) -> (d, m)>
func.func @two_sums(%a: tensor<?x?x?x4xf32>, %C: tensor<?x4xf32>,
                    %o: tensor<?x?x?xf32>) -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  %h, %last = ssm.scan %a, %a : tensor<?x?x?x4xf32>
  %y = ssm.readout %h, %C : tensor<?x?x?x4xf32>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  // expected-error @below {{cannot be fused: it sums over n in one loop and runs over n in another one}}
  %r = linalg.generic {
      indexing_maps = [#full, #table, affine_map<(b, l, d, n, m) -> (b, l, d)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%h, %C : tensor<?x?x?x4xf32>, tensor<?x4xf32>)
      outs(%o : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %c: f32, %p: f32):
    %0 = arith.mulf %x, %c : f32
    %1 = arith.addf %p, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x?x?xf32>
  return %y, %r : tensor<?x?x?xf32>, tensor<?x?x?xf32>
}

// -----

func.func @sum_over_groups(%u: tensor<?x?x4xf32>, %B: tensor<?x?x2x3xf32>)
    -> (tensor<?x?x4x3xf32>, tensor<?x?x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %u, %c0 : tensor<?x?x4xf32>
  %l = tensor.dim %u, %c1 : tensor<?x?x4xf32>
  %e = tensor.empty(%b, %l) : tensor<?x?x3xf32>
  %start = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?x3xf32>)
    -> tensor<?x?x3xf32>
  %x = ssm.spread_groups %B like %u
    : tensor<?x?x2x3xf32>, tensor<?x?x4xf32> -> tensor<?x?x4x3xf32>
  // expected-error @below {{cannot be fused: it sums over the axis g, expected b, l, d or n}}
  %r = linalg.reduce { arith.addf } ins(%B : tensor<?x?x2x3xf32>)
    outs(%start : tensor<?x?x3xf32>) dimensions = [2]
  return %x, %r : tensor<?x?x4x3xf32>, tensor<?x?x3xf32>
}

// -----

func.func @one_for_all_channels(%u: tensor<?x?x4xf32>,
                                %B: tensor<?x?x1x3xf32>)
    -> (tensor<?x?x4x3xf32>, tensor<?x1x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %c1 = arith.constant 1 : index
  %l = tensor.dim %u, %c1 : tensor<?x?x4xf32>
  %e = tensor.empty(%l) : tensor<?x1x3xf32>
  %start = linalg.fill ins(%zero : f32) outs(%e : tensor<?x1x3xf32>)
    -> tensor<?x1x3xf32>
  %x = ssm.spread_groups %B like %u
    : tensor<?x?x1x3xf32>, tensor<?x?x4xf32> -> tensor<?x?x4x3xf32>
  // expected-error @below {{cannot be fused: its result has one element for all channels, and it does not sum over them}}
  %r = linalg.generic {
      indexing_maps = [affine_map<(b, l, n) -> (b, l, 0, n)>,
                       affine_map<(b, l, n) -> (l, 0, n)>],
      iterator_types = ["reduction", "parallel", "parallel"]}
    ins(%B : tensor<?x?x1x3xf32>) outs(%start : tensor<?x1x3xf32>) {
  ^bb0(%w: f32, %out: f32):
    %s = arith.addf %out, %w : f32
    linalg.yield %s : f32
  } -> tensor<?x1x3xf32>
  return %x, %r : tensor<?x?x4x3xf32>, tensor<?x1x3xf32>
}

// -----

// Both sides of an elementwise op are (b, l, d).
func.func @two_lengths(%a: tensor<2x?x3xf32>, %b: tensor<?x5x3xf32>) -> tensor<2x7x3xf32> {
  %c = tensor.cast %b : tensor<?x5x3xf32> to tensor<2x?x3xf32>
  // expected-error @below {{cannot be fused: 'tensor<2x7x3xf32>' has extent 7 of axis l, expected 5 as in another tensor of the kernel}}
  %s = arith.addf %a, %c : tensor<2x?x3xf32>
  %r = tensor.cast %s : tensor<2x?x3xf32> to tensor<2x7x3xf32>
  return %r : tensor<2x7x3xf32>
}

// -----

func.func @halves_added(%a: tensor<?x?x?xf16>, %u: tensor<?x?x?xf16>) -> (tensor<?x?x?xf16>, tensor<?xf16>) {
  %zero = arith.constant dense<0.0> : tensor<4xf16>
  %any = tensor.cast %zero : tensor<4xf16> to tensor<?xf16>
  %x = arith.addf %a, %u : tensor<?x?x?xf16>
  // expected-error @below {{cannot be fused: it adds up 'f16', expected f32, f64 or complex of these; extend what it adds, and truncate the sum}}
  %r = linalg.reduce ins(%x : tensor<?x?x?xf16>) outs(%any : tensor<?xf16>) dimensions = [0, 1]
    (%in: f16, %out: f16) {
      %s = arith.addf %out, %in : f16
      linalg.yield %s : f16
    }
  return %x, %r : tensor<?x?x?xf16>, tensor<?xf16>
}

// -----

// What has no location of its own is reported at the function.
// expected-error @below {{cannot be fused: it adds up 'f16'}}
func.func @nowhere(%a: tensor<?x?x?xf16>, %u: tensor<?x?x?xf16>) -> (tensor<?x?x?xf16>, tensor<?xf16>) {
  %zero = arith.constant dense<0.0> : tensor<4xf16>
  %any = tensor.cast %zero : tensor<4xf16> to tensor<?xf16>
  %x = arith.addf %a, %u : tensor<?x?x?xf16>
  %r = linalg.reduce ins(%x : tensor<?x?x?xf16>) outs(%any : tensor<?xf16>) dimensions = [0, 1]
    (%in: f16, %out: f16) {
      %s = arith.addf %out, %in : f16
      linalg.yield %s : f16
    } loc(unknown)
  return %x, %r : tensor<?x?x?xf16>, tensor<?xf16>
}
