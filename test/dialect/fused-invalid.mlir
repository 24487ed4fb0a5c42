// RUN: mamba-opt %s -verify-diagnostics --split-input-file

func.func @C1_rank(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C1) input 0 has type 'tensor<?x?xf32>' but access [b, l, d]; expected one axis a dimension}}
  %y = ssm.fused (%v = %x[b, l, d] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C1_result_rank(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C1) result 0 has type 'tensor<?xf32>' but access [b, l]; expected one axis a dimension}}
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C1_count(%x: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C1) found 0 input and 1 result accesses, expected 1 and 1}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32):
    ssm.yield %v : f32
  }) {input_accesses = [], result_accesses = [#ssm.access<b>]} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @C2_extents(%x: tensor<?x3xf32>, %w: tensor<4xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C2) input 1 has extent 4 of axis d, expected 3}}
  %y = ssm.fused (%v = %x[b, d] : tensor<?x3xf32>, %k = %w[d] : tensor<4xf32>) -> ([b, d] : tensor<?x?xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C2_result_extent(%x: tensor<?x3xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C2) result 0 has extent 4 of axis d, expected 3}}
  %y = ssm.fused (%v = %x[b, d] : tensor<?x3xf32>) -> ([b, d] : tensor<?x4xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C2_dynamic_states(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C2) input 0 has a dynamic or empty extent of axis n, expected a static positive one}}
  %y = ssm.fused (%v = %x[d, n] : tensor<?x?xf32>) -> ([d, n] : tensor<?x?xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C2_no_groups(%x: tensor<?x0xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C2) input 0 has a dynamic or empty extent of axis g, expected a static positive one}}
  %y = ssm.fused (%v = %x[b, g] : tensor<?x0xf32>) -> ([b] : tensor<?xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C3_argument_type(%x: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C3) body argument 0 has type 'f64', expected 'f32'}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f64):
    ssm.yield %v : f64
  }) {input_accesses = [#ssm.access<b>], result_accesses = [#ssm.access<b>]} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @C3_argument_count(%x: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C3) body has 2 arguments, expected 1, one an input}}
  %y = "ssm.fused"(%x) ({
  ^bb0(%v: f32, %w: f32):
    ssm.yield %v : f32
  }) {input_accesses = [#ssm.access<b>], result_accesses = [#ssm.access<b>]} : (tensor<?xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @C3_yield_count(%x: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'ssm.yield' op (C3) yields 2 values, expected 1, one a result}}
    ssm.yield %v, %v : f32, f32
  }
  return
}

// -----

func.func @C3_yield_type(%x: tensor<?xbf16>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xbf16>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'ssm.yield' op (C3) yields 'bf16', expected 'f32'}}
    ssm.yield %v : bf16
  }
  return
}

// -----

func.func @C3_terminator(%x: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C3) body must end with ssm.yield}}
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    llvm.unreachable
  }
  return
}

// -----

func.func @C4(%x: tensor<?x?x4xf32>) {
  %y = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>) -> ([b, l] : tensor<?x?xf32>) {
    // expected-error@+1 {{'ssm.yield' op (C4) value 0 depends on axis n, which its result's access [b, l] lacks}}
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C4_group(%x: tensor<?x2xf32>) {
  %y = ssm.fused (%v = %x[b, g] : tensor<?x2xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'ssm.yield' op (C4) value 0 depends on axis g, which its result's access [b] lacks}}
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C4_state_of_a_recurrence(%x: tensor<?xf32>, %t: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>, %w = %t[l] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    // expected-error@+1 {{'ssm.yield' op (C4) value 0 depends on axis l, which its result's access [b] lacks}}
    ssm.yield %h : f32
  }
  return
}

// -----

func.func @C5(%x: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C5) result 0 has axis d, but no input has axis d}}
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b, d] : tensor<?x8xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C5_steps(%x: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'ssm.recurrence' op (C5) needs the number of steps, but no input of the fused op has axis l}}
    %h, %last = ssm.recurrence %v, %v : f32
    ssm.yield %last : f32
  }
  return
}

// -----

func.func @C6_dialect(%x: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'tensor.from_elements' op (C6) is no scalar op of arith, math or complex; a fused body holds only those and ssm.recurrence, ssm.sum, ssm.total, ssm.yield}}
    %t = tensor.from_elements %v : tensor<1xf32>
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C6_vector(%x: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'arith.constant' op (C6) is no scalar op}}
    %c = arith.constant dense<1.0> : vector<2xf32>
    ssm.yield %v : f32
  }
  return
}

// -----

// What has no defined result for some operands:

func.func @C6_division(%x: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    %i = arith.fptosi %v : f32 to i32
    // expected-error@+1 {{'arith.divsi' op (C6) is none of the ops of arith that a body may hold: addf, addi, andi, }}
    %q = arith.divsi %i, %i : i32
    %f = arith.sitofp %q : i32 to f32
    ssm.yield %f : f32
  }
  return
}

// -----

func.func @C6_none_of_math(%x: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    %two = arith.constant 2 : i32
    // expected-error@+1 {{'math.fpowi' op (C6) is none of the ops of math that a body may hold: absf, acos, }}
    %p = math.fpowi %v, %two : f32, i32
    ssm.yield %p : f32
  }
  return
}

// -----

func.func @C6_type(%x: tensor<?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'arith.truncf' op (C6) computes in f8E4M3FN, expected f64, f32, f16, bf16, complex numbers of f64 or f32, index, or integers of at most 64 bits}}
    %e = arith.truncf %v : f32 to f8E4M3FN
    %f = arith.extf %e : f8E4M3FN to f32
    ssm.yield %f : f32
  }
  return
}

// -----

func.func @C6_outside_value(%x: tensor<?xf32>, %s: f32) {
  // expected-note@+1 {{required by region isolation constraints}}
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'arith.addf' op using value defined outside the region}}
    %t = arith.addf %v, %s : f32
    ssm.yield %t : f32
  }
  return
}

// -----

func.func @C7(%x: tensor<?x5xf32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C7) input 1 has 2 groups, which do not divide the 5 channels}}
  %y = ssm.fused (%v = %x[b, d] : tensor<?x5xf32>, %k = %w[b, g] : tensor<?x2xf32>) -> ([b, d] : tensor<?x5xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C8_last(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C8) has recurrences of both directions, and those of neither can be replayed: some of each read another recurrence, or have a last state that is read}}
  %y:2 = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>, [b] : tensor<?xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    %r, %first = ssm.recurrence reverse %v, %h : f32
    ssm.yield %r, %last : f32, f32
  }
  return
}

// -----

func.func @C8_chain(%x: tensor<?x?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C8) has recurrences of both directions, and those of neither can be replayed}}
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>) {
    %h, %l0 = ssm.recurrence %v, %v : f32
    %g, %l1 = ssm.recurrence %v, %h : f32
    %r, %l2 = ssm.recurrence reverse %v, %g : f32
    ssm.yield %r : f32
  }
  return
}

// -----

func.func @C9(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    // expected-error@+1 {{'arith.mulf' op (C9) uses a last state for a value of every step; the last state is known only after the last step}}
    %s = arith.mulf %v, %last : f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @C9_recurrence(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b] : tensor<?xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    // expected-error@+1 {{'ssm.recurrence' op (C9) uses a last state for a value of every step; the last state is known only after the last step}}
    %g, %glast = ssm.recurrence %last, %last : f32
    ssm.yield %glast : f32
  }
  return
}

// -----

func.func @C9_result(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    // expected-error@+1 {{'ssm.yield' op (C9) value 0 is known only after the last step, expected a result without axis l, found [b, l]}}
    ssm.yield %last : f32
  }
  return
}

// -----

func.func @C10(%x: tensor<?x?x4xf32>) {
  %y = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>) -> ([b, l, n] : tensor<?x?x4xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    %s = ssm.sum %h over n : f32
    // expected-error@+1 {{'arith.divf' op (C10) uses a per-state recurrence together with a later sum over n; compute it in a second ssm.fused}}
    %q = arith.divf %h, %s : f32
    ssm.yield %q : f32
  }
  return
}

// -----

// What is replayed runs again behind the sum, what it is replayed for does not.
func.func @C10_not_replayed(%x: tensor<?x?x4xf32>) {
  %y = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>) -> ([b, l, n] : tensor<?x?x4xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    %g, %first = ssm.recurrence reverse %v, %h : f32
    %s = ssm.sum %g over n : f32
    %q = arith.divf %h, %s : f32
    // expected-error@+1 {{'arith.mulf' op (C10) uses a per-state recurrence together with a later sum over n; compute it in a second ssm.fused}}
    %p = arith.mulf %g, %q : f32
    ssm.yield %p : f32
  }
  return
}

// -----

// What nothing needs replays nothing.
func.func @C10_dead(%x: tensor<?x?x4xf32>) {
  %y = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>) -> ([b, l, n] : tensor<?x?x4xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    %s = ssm.sum %h over n : f32
    // expected-error@+1 {{'arith.mulf' op (C10) uses a per-state recurrence together with a later sum over n; compute it in a second ssm.fused}}
    %q = arith.mulf %h, %s : f32
    %g, %first = ssm.recurrence reverse %v, %q : f32
    ssm.yield %q : f32
  }
  return
}

// -----

func.func @C10_through_other_ops(%x: tensor<?x?x4xf32>) {
  %y = ssm.fused (%v = %x[b, l, n] : tensor<?x?x4xf32>) -> ([b, l, n] : tensor<?x?x4xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    %h2 = arith.mulf %h, %h : f32
    %s = ssm.sum %v over n : f32
    // expected-error@+1 {{'arith.divf' op (C10) uses a per-state recurrence together with a later sum over n; compute it in a second ssm.fused}}
    %q = arith.divf %h2, %s : f32
    ssm.yield %q : f32
  }
  return
}

// -----

func.func @C11(%x: tensor<?x4xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C5) result 0 has axis g, but no input has axis d}}
  %y = ssm.fused (%v = %x[b, g] : tensor<?x4xf32>) -> ([b, g] : tensor<?x4xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @element_type(%x: tensor<?xi32>) {
  // expected-error@+1 {{'ssm.fused' op operand #0 must be variadic of ranked tensor of f16, bf16, f32, f64 or complex of the last two values, but got 'tensor<?xi32>'}}
  %y = ssm.fused (%v = %x[b] : tensor<?xi32>) -> ([b] : tensor<?xi32>) {
    ssm.yield %v : i32
  }
  return
}

// -----

func.func @unknown_axis(%x: tensor<?xf32>) {
  // expected-error@+1 {{unknown axis 'q', expected one of b, l, d, n, g, l/T}}
  %y = ssm.fused (%v = %x[q] : tensor<?xf32>) -> ([b] : tensor<?xf32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @scalar_input(%x: f32) {
  // expected-error@+1 {{invalid kind of type specified: expected builtin.tensor, but found 'f32'}}
  %y = ssm.fused (%v = %x[] : f32) -> ([] : tensor<f32>) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @no_schedule(%x: tensor<?xf32>) {
  // expected-error@+1 {{'ssm.fused' op attribute 'schedule' failed to satisfy constraint: a #ssm.schedule or a #ssm.cpu_schedule}}
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>) -> ([b] : tensor<?xf32>) schedule(4 : i32) {
    ssm.yield %v : f32
  }
  return
}

// -----

func.func @C2_segments(%a: tensor<2x20x3xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C2) result 0 has 2 segments, expected 3, those of 8 steps in 20}}
  %y = ssm.fused (%v = %a[b, l, d] : tensor<2x20x3xf32>) -> ([b, l/8, d] : tensor<2x2x3xf32>) {
    %p, %last = ssm.recurrence exclusive %v, %v : f32
    ssm.yield %p : f32
  }
  return
}

// -----

func.func @C8_saved(%a: tensor<?x?x?xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C8) has recurrences of both directions, and those of neither can be replayed: some of each read another recurrence, or have a last state that is read, or states are saved}}
  %y:2 = ssm.fused (%v = %a[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l/8, d] : tensor<?x?x?xf32>, [b, l, d] : tensor<?x?x?xf32>) {
    %p, %last = ssm.recurrence exclusive %v, %v : f32
    %r, %first = ssm.recurrence reverse %v, %v : f32
    ssm.yield %p, %r : f32, f32
  }
  return
}

// -----

func.func @C12_result(%a: tensor<?x?x?xf32>) {
  %y = ssm.fused (%v = %a[b, l, d] : tensor<?x?x?xf32>) -> ([b, l/8, d] : tensor<?x?x?xf32>) {
    %h, %last = ssm.recurrence %v, %v : f32
    // expected-error@+1 {{'ssm.yield' op (C12) value 0 has a result with the axes [b, l/8, d], expected the state of an exclusive recurrence}}
    ssm.yield %h : f32
  }
  return
}

// -----

func.func @C12_input(%a: tensor<?x?x?xf32>, %s: tensor<?x?x?xf32>) {
  %y = ssm.fused (%v = %a[b, l, d] : tensor<?x?x?xf32>, %h0 = %s[b, l/8, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    // expected-error@+1 {{'arith.addf' op (C12) reads input 1 with the axes [b, l/8, d], which only a recurrence may start from}}
    %h = arith.addf %v, %h0 : f32
    ssm.yield %h : f32
  }
  return
}
