// RUN: mamba-opt --ssm-differentiate --split-input-file --verify-diagnostics %s

func.func @remainder(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error@+1 {{cannot be differentiated: there is no rule for 'arith.remf'}}
  %r = arith.remf %x, %y : tensor<3xf32>
  return %r : tensor<3xf32>
}

// -----

func.func @slice(%x: tensor<3xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{cannot be differentiated: expected ssm ops of model IR, linalg ops or elementwise arith and math on ranked tensors}}
  %r = tensor.extract_slice %x[0] [2] [1] : tensor<3xf32> to tensor<2xf32>
  return %r : tensor<2xf32>
}

// -----

#ij = affine_map<(i, j) -> (i, j)>
#i = affine_map<(i, j) -> (i)>
func.func @maximum(%x: tensor<2x3xf32>, %m: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{cannot be differentiated: its loops reduce, and result 0 is no sum (what it was plus a term)}}
  %r = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<2x3xf32>) outs(%m : tensor<2xf32>) {
  ^bb0(%e: f32, %o: f32):
    %0 = arith.maximumf %e, %o : f32
    linalg.yield %0 : f32
  } -> tensor<2xf32>
  return %r : tensor<2xf32>
}

// -----

#id = affine_map<(i) -> (i)>
#diagonal = affine_map<(i) -> (i, i)>
func.func @diagonal(%x: tensor<3x3xf32>, %o: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error@+1 {{cannot be differentiated: operand 0 has the indexing map affine_map<(d0) -> (d0, d0)>, expected different loops only (and constants)}}
  %r = linalg.generic {indexing_maps = [#diagonal, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<3x3xf32>) outs(%o : tensor<3xf32>) {
  ^bb0(%e: f32, %p: f32):
    linalg.yield %e : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// -----

#m = affine_map<(i) -> (i)>
func.func @captured(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %i = arith.constant 0 : index
  %s = tensor.extract %y[%i] : tensor<3xf32>
  // expected-error@+1 {{cannot be differentiated: its body reads a tensor or number from outside that has a gradient; pass the tensor as an operand}}
  %r = linalg.generic {indexing_maps = [#m, #m], iterator_types = ["parallel"]}
      ins(%x : tensor<3xf32>) outs(%x : tensor<3xf32>) {
  ^bb0(%e: f32, %p: f32):
    %0 = arith.mulf %e, %s : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// -----

// expected-error@+1 {{cannot be differentiated: there is a function @twice_backward already}}
func.func @twice(%x: tensor<3xf32>) -> tensor<3xf32> {
  return %x : tensor<3xf32>
}
func.func private @twice_backward()

// -----

// expected-error@+1 {{cannot be differentiated: found 2 blocks, expected one without control flow}}
func.func @blocks(%x: tensor<3xf32>) -> tensor<3xf32> {
  cf.br ^end
^end:
  return %x : tensor<3xf32>
}

// -----

// A running sum of a running sum.
#m = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>
func.func @prefix(%x: tensor<3xf32>, %a: tensor<f32>, %b: tensor<f32>)
    -> (tensor<f32>, tensor<f32>) {
  // expected-error@+1 {{cannot be differentiated: its loops reduce, and result 1 is no sum (what it was plus a term)}}
  %r:2 = linalg.generic {indexing_maps = [#m, #none, #none], iterator_types = ["reduction"]}
      ins(%x : tensor<3xf32>) outs(%a, %b : tensor<f32>, tensor<f32>) {
  ^bb0(%e: f32, %o: f32, %p: f32):
    %0 = arith.addf %o, %e : f32
    %1 = arith.addf %p, %0 : f32
    linalg.yield %0, %1 : f32, f32
  } -> (tensor<f32>, tensor<f32>)
  return %r#0, %r#1 : tensor<f32>, tensor<f32>
}

// -----

#m = affine_map<(i) -> (i)>
func.func @two_results(%x: tensor<3xf32>) -> tensor<3xf32> {
  %r = linalg.generic {indexing_maps = [#m, #m], iterator_types = ["parallel"]}
      ins(%x : tensor<3xf32>) outs(%x : tensor<3xf32>) {
  ^bb0(%e: f32, %p: f32):
    // expected-error@+1 {{cannot be differentiated: there is no rule for 'math.sincos'}}
    %s, %c = math.sincos %e : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// -----

#m = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>
func.func @number(%x: tensor<3xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %i = arith.constant 0 : index
  %s = tensor.extract %y[%i] : tensor<3xf32>
  // expected-error@+1 {{cannot be differentiated: operand 1 is a number that has a gradient, expected a tensor; one of rank 0 can be broadcast}}
  %r = linalg.generic {indexing_maps = [#m, #none, #m], iterator_types = ["parallel"]}
      ins(%x, %s : tensor<3xf32>, f32) outs(%x : tensor<3xf32>) {
  ^bb0(%e: f32, %n: f32, %p: f32):
    %0 = arith.mulf %e, %n : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}
