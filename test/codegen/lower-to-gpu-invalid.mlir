// RUN: mamba-opt --ssm-lower-to-gpu --split-input-file --verify-diagnostics %s

func.func @unscheduled(%as: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // expected-error @below {{has no #ssm.schedule; run --ssm-schedule first}}
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %h, %last = ssm.recurrence %a, %a : f32
    ssm.yield %h : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

func.func @double(%as: tensor<?x?x?xf64>) -> tensor<?x?x?xf64> {
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xf64>)
      -> ([b, l, d] : tensor<?x?x?xf64>) schedule(#ssm.schedule<>) {
    // expected-error @below {{computes in f64; the GPU computes in f32, use the cpu or the reference device}}
    %h, %last = ssm.recurrence %a, %a : f64
    ssm.yield %h : f64
  }
  return %r : tensor<?x?x?xf64>
}

// -----

func.func @chained(%as: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // expected-error @below {{has recurrences that read each other, which chunks cannot start independently; use chunks = 1}}
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) schedule(#ssm.schedule<chunks = 2>) {
    %h, %last = ssm.recurrence %a, %a : f32
    %g, %last1 = ssm.recurrence %a, %h : f32
    ssm.yield %g : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

func.func @unemittable(%as: tensor<?x?x?xcomplex<f32>>) -> tensor<?x?x?xcomplex<f32>> {
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xcomplex<f32>>)
      -> ([b, l, d] : tensor<?x?x?xcomplex<f32>>) schedule(#ssm.schedule<>) {
    // expected-error @below {{has no GPU code; complex bodies may use create, re, im, add, sub, mul, div, neg, conj, exp, constant and arith.select}}
    %t = complex.tanh %a : complex<f32>
    %h, %last = ssm.recurrence %t, %a : complex<f32>
    ssm.yield %h : complex<f32>
  }
  return %r : tensor<?x?x?xcomplex<f32>>
}

// -----

func.func @large(%as: tensor<?x?x?xf32>, %bs: tensor<?x?x1x256xf32>) -> tensor<?x?x?xf32> {
  // expected-error-re @below {{needs {{[0-9]+}} bytes of shared memory a block with #ssm.schedule<lanes = 32, items = 16>, more than the 232448 there are; use fewer states, lanes, warps or items}}
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xf32>,
                  %b = %bs[b, l, g, n] : tensor<?x?x1x256xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.schedule<lanes = 32, items = 16>) {
    %h, %last = ssm.recurrence %a, %b : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

// expected-error @below {{has 0 functions, expected the one to lower}}
module {
}

// -----

func.func @both_ways(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // expected-error @below {{has recurrences in both directions, of which the ones of one are replayed tile by tile; found #ssm.schedule<warps_l = 2, relay = 1>, expected relay = 0}}
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.schedule<warps_l = 2, relay = 1>) {
    %h, %last = ssm.recurrence %x, %x : f32
    %g, %first = ssm.recurrence reverse %x, %h : f32
    ssm.yield %g : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

func.func @split_both_ways(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // expected-error @below {{has recurrences in both directions, or totals of what has n; found #ssm.schedule<lanes = 2, split = 1>, expected split = 0}}
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.schedule<lanes = 2, split = 1>) {
    %h, %last = ssm.recurrence %x, %x : f32
    %g, %first = ssm.recurrence reverse %x, %h : f32
    ssm.yield %g : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

func.func @split_total(%bs: tensor<?x?x?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{has recurrences in both directions, or totals of what has n; found #ssm.schedule<lanes = 2, split = 1>, expected split = 0}}
  %y = ssm.fused (%b = %bs[b, l, d, n] : tensor<?x?x?x8xf32>) -> ([d, n] : tensor<?x8xf32>)
      schedule(#ssm.schedule<lanes = 2, split = 1>) {
    %t = ssm.total %b over <b, l> : f32 -> f32
    ssm.yield %t : f32
  }
  return %y : tensor<?x8xf32>
}

// -----

func.func @split_unevenly(%as: tensor<?x?x?xf32>, %bs: tensor<?x?x1x6xf32>) -> tensor<?x?x?xf32> {
  // expected-error @below {{has 6 states, which 4 lanes cannot share out evenly; use fewer lanes or split = 0}}
  %r = ssm.fused (%a = %as[b, l, d] : tensor<?x?x?xf32>,
                  %b = %bs[b, l, g, n] : tensor<?x?x1x6xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.schedule<lanes = 4, split = 1>) {
    %h, %last = ssm.recurrence %a, %b : f32
    %s = ssm.sum %h over n : f32
    ssm.yield %s : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

// expected-error @below {{has no body to lower}}
func.func private @declared(tensor<2x3x4xf32>) -> tensor<2x3x4xf32>

// -----

// expected-error @below {{has 2 blocks of which the first ends with cf.br, expected one that ends with func.return}}
func.func @two_blocks(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %r = ssm.fused (%e = %x[b, l, d] : tensor<2x3x4xf32>) -> ([b, l, d] : tensor<2x3x4xf32>)
      schedule(#ssm.schedule<lanes = 1>) {
    ssm.yield %e : f32
  }
  cf.br ^end
^end:
  return %r : tensor<2x3x4xf32>
}
