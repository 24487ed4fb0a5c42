// RUN: mamba-opt %s --ssm-lower-to-cpu --split-input-file --verify-diagnostics

func.func @gpuSchedule(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // expected-error@+1 {{has the schedule #ssm.schedule<>, expected a #ssm.cpu_schedule}}
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.schedule<>) {
    ssm.yield %x : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

func.func @chained(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.cpu_schedule<chunks = 2>) {
    %h, %last = ssm.recurrence %x, %x : f32
    %e = math.exp %h : f32
    // expected-error@+1 {{depends on the states of an earlier recurrence, so its sequence cannot be split; found #ssm.cpu_schedule<chunks = 2> on its ssm.fused, expected chunks = 1}}
    %k, %lastK = ssm.recurrence %x, %e : f32
    ssm.yield %k : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

func.func @complexFunction(%x_: tensor<?x?x?xcomplex<f32>>) -> tensor<?x?x?xcomplex<f32>> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xcomplex<f32>>) -> ([b, l, d] : tensor<?x?x?xcomplex<f32>>) {
    // expected-error@+1 {{has no CPU code; complex bodies may use}}
    %t = complex.tan %x : complex<f32>
    ssm.yield %t : complex<f32>
  }
  return %y : tensor<?x?x?xcomplex<f32>>
}

// -----

func.func @stack(%x_: tensor<?x?x?xf64>, %a_: tensor<?x4096xf64>) -> tensor<?x?x?xf64> {
  // expected-error@+1 {{bytes of stack for tables of 4096 states and 16 steps, but a task may have 524288}}
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf64>, %a = %a_[d, n] : tensor<?x4096xf64>)
      -> ([b, l, d] : tensor<?x?x?xf64>) {
    %h, %last = ssm.recurrence %a, %x : f64
    %s = ssm.sum %h over n : f64
    ssm.yield %s : f64
  }
  return %y : tensor<?x?x?xf64>
}

// -----

func.func @first(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
    ssm.yield %x : f32
  }
  return %y : tensor<?x?x?xf32>
}
// expected-error@+1 {{is the module's second function; a kernel module is lowered from one}}
func.func @second(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
    ssm.yield %x : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

// expected-error@+1 {{has no body to lower}}
func.func private @external(%x: tensor<?xf32>) -> tensor<?xf32>

// -----

// expected-error@+1 {{returns nothing, so that there is nothing to compute; return what is wanted of it}}
func.func @nothing(%x: tensor<?x?x?xf32>) {
  return
}

// -----

// expected-error@+1 {{has a name that LLVM reserves for intrinsics, expected one without the prefix 'llvm.'}}
func.func @llvm.exp2(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>) {
    ssm.yield %x : f32
  }
  return %y : tensor<?x?x?xf32>
}

// -----

func.func @both_ways(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  // expected-error @below {{has recurrences in both directions, of which the ones of one are replayed tile by tile; found #ssm.cpu_schedule<chunks = 2>, expected chunks = 1}}
  %y = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : tensor<?x?x?xf32>)
      schedule(#ssm.cpu_schedule<chunks = 2>) {
    %h, %last = ssm.recurrence %x, %x : f32
    %g, %first = ssm.recurrence reverse %x, %h : f32
    ssm.yield %g : f32
  }
  return %y : tensor<?x?x?xf32>
}
