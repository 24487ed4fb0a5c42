// RUN: mamba-opt --ssm-simplify-body --split-input-file %s | FileCheck %s
// A second run changes nothing:
// RUN: mamba-opt --ssm-simplify-body --split-input-file %s -o %t.once
// RUN: mamba-opt --ssm-simplify-body --split-input-file %t.once -o %t.twice
// RUN: diff %t.once %t.twice

// What has no code is written as what has.

// CHECK-LABEL: func.func @clamp
// CHECK: %[[LOW:[a-z0-9_]+]] = arith.maximumf %[[X:[a-z0-9_]+]], %[[LEAST:[a-z0-9_]+]] : f32
// CHECK: arith.minimumf %[[LOW]], %[[MOST:[a-z0-9_]+]] : f32
// CHECK-NOT: clampf
func.func @clamp(%x_: tensor<?x?x?xf32>, %least_: tensor<?xf32>,
                 %most_: tensor<?xf32>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>,
                  %least = %least_[d] : tensor<?xf32>,
                  %most = %most_[d] : tensor<?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %y = math.clampf %x to [%least, %most] : f32
    ssm.yield %y : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

// CHECK-LABEL: func.func @kinds
// CHECK-DAG: %[[SIZE:[a-z0-9_]+]] = math.absf %[[X:[a-z0-9_]+]] : f32
// CHECK-DAG: %[[INF:[a-z0-9_]+]] = arith.constant 0x7F800000 : f32
// CHECK-DAG: arith.cmpf uno, %[[X]], %[[X]] : f32
// CHECK-DAG: arith.cmpf oeq, %[[SIZE]], %[[INF]] : f32
// CHECK-DAG: arith.cmpf olt, %[[SIZE]], %[[INF]] : f32
// CHECK-NOT: math.is
func.func @kinds(%x_: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %nan = math.isnan %x : f32
    %inf = math.isinf %x : f32
    %finite = math.isfinite %x : f32
    %a = arith.select %nan, %zero, %x : f32
    %b = arith.select %inf, %one, %a : f32
    %c = arith.select %finite, %x, %b : f32
    ssm.yield %c : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

// Of halves: they are told apart in f32, and no product is rounded for exp.

// CHECK-LABEL: func.func @kinds_of_halves
// CHECK: %[[WIDE:[a-z0-9_]+]] = arith.extf %{{.*}} : bf16 to f32
// CHECK: %[[SIZE:[a-z0-9_]+]] = math.absf %[[WIDE]] : f32
// CHECK: arith.cmpf oeq, %[[SIZE]]
// CHECK: math.exp %{{.*}} : bf16
func.func @kinds_of_halves(%x_: tensor<?x?x?xbf16>) -> tensor<?x?x?xbf16> {
  %r = ssm.fused (%x = %x_[b, l, d] : tensor<?x?x?xbf16>)
      -> ([b, l, d] : tensor<?x?x?xbf16>) {
    %inf = math.isinf %x : bf16
    %e = math.exp %x : bf16
    %b = arith.select %inf, %x, %e : bf16
    ssm.yield %b : bf16
  }
  return %r : tensor<?x?x?xbf16>
}

// -----

// log2(e) joins A: one product a channel and state, none a step.

// CHECK-LABEL: func.func @exponent
// CHECK: ssm.fused (%[[DT:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : {{.*}}, %[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}
// CHECK-NEXT: %[[LOG2E:[a-z0-9_]+]] = arith.constant 1.44269502 : f32
// CHECK-NEXT: %[[A2:[a-z0-9_]+]] = arith.mulf %[[A]], %[[LOG2E]] fastmath<contract>
// CHECK-NEXT: %[[X:[a-z0-9_]+]] = arith.mulf %[[DT]], %[[A2]] fastmath<contract>
// CHECK-NEXT: %[[DECAY:[a-z0-9_]+]] = math.exp2 %[[X]]
// CHECK-NEXT: ssm.recurrence %[[DECAY]], %[[DT]]
func.func @exponent(%delta: tensor<?x?x?xf32>, %A: tensor<?x4xf32>)
    -> tensor<?x?x4xf32> {
  %r = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %a = %A[d, n] : tensor<?x4xf32>)
      -> ([b, d, n] : tensor<?x?x4xf32>) {
    %x = arith.mulf %dt, %a fastmath<contract> : f32
    %e = math.exp %x : f32
    %h, %last = ssm.recurrence %e, %dt : f32
    ssm.yield %last : f32
  }
  return %r : tensor<?x?x4xf32>
}

// -----

// The sign of A = -exp(A_log) joins the constant. So it does where x has
// another use.

// CHECK-LABEL: func.func @shared_exponent
// CHECK: ssm.fused (%[[DT:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : {{.*}}, %[[L:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}
// CHECK-DAG: %[[E:[a-z0-9_]+]] = math.exp2
// CHECK-DAG: %[[C:[a-z0-9_]+]] = arith.constant -1.44269502 : f32
// CHECK: %[[A2:[a-z0-9_]+]] = arith.mulf %[[E]], %[[C]]
// CHECK: %[[X2:[a-z0-9_]+]] = arith.mulf %[[DT]], %[[A2]]
// CHECK: %[[DECAY:[a-z0-9_]+]] = math.exp2 %[[X2]]
// CHECK: ssm.recurrence %[[DECAY]]
func.func @shared_exponent(%delta: tensor<?x?x?xf32>, %A_log: tensor<?x4xf32>)
    -> tensor<?x?x4xf32> {
  %r = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %log = %A_log[d, n] : tensor<?x4xf32>)
      -> ([b, d, n] : tensor<?x?x4xf32>) {
    %ea = math.exp %log : f32
    %a = arith.negf %ea : f32
    %x = arith.mulf %dt, %a fastmath<contract> : f32
    %e = math.exp %x : f32
    %b = math.sin %x : f32
    %h, %last = ssm.recurrence %e, %b : f32
    ssm.yield %last : f32
  }
  return %r : tensor<?x?x4xf32>
}

// -----

// softplus stays what lowerings know.

// CHECK-LABEL: func.func @softplus
// CHECK: %[[E:[a-z0-9_]+]] = math.exp %
// CHECK: math.log1p %[[E]]
func.func @softplus(%delta: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%x = %delta[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %e = math.exp %x : f32
    %y = math.log1p %e : f32
    ssm.yield %y : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

// (delta B) u becomes (delta u) B; products without permission stay.

// CHECK-LABEL: func.func @input
// CHECK: ssm.fused (%[[DT:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : {{.*}}, %[[U:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : {{.*}}, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, g, n] : {{.*}}
// CHECK-NEXT: %[[DU:[a-z0-9_]+]] = arith.mulf %[[DT]], %[[U]] fastmath<contract>
// CHECK-NEXT: %[[IN:[a-z0-9_]+]] = arith.mulf %[[DU]], %[[B]] fastmath<contract>
// CHECK-NEXT: %[[DB:[a-z0-9_]+]] = arith.mulf %[[DT]], %[[B]] : f32
// CHECK-NEXT: %[[EXACT:[a-z0-9_]+]] = arith.mulf %[[DB]], %[[U]] : f32
// CHECK-NEXT: ssm.recurrence %[[EXACT]], %[[IN]]
func.func @input(%delta: tensor<?x?x?xf32>, %u: tensor<?x?x?xf32>,
                 %B: tensor<?x?x1x4xf32>) -> tensor<?x?x4xf32> {
  %r = ssm.fused (%dt = %delta[b, l, d] : tensor<?x?x?xf32>,
                  %uu = %u[b, l, d] : tensor<?x?x?xf32>,
                  %b = %B[b, l, g, n] : tensor<?x?x1x4xf32>)
      -> ([b, d, n] : tensor<?x?x4xf32>) {
    %db = arith.mulf %dt, %b fastmath<contract> : f32
    %in = arith.mulf %db, %uu fastmath<contract> : f32
    %db2 = arith.mulf %dt, %b : f32
    %exact = arith.mulf %db2, %uu : f32
    %h, %last = ssm.recurrence %exact, %in : f32
    ssm.yield %last : f32
  }
  return %r : tensor<?x?x4xf32>
}

// -----

// Factors, signs and divisors without n leave the sum.

// CHECK-LABEL: func.func @sums
// CHECK: ssm.fused (%[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d, n] : {{.*}}, %[[C:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[W:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : {{.*}}
// CHECK: %[[H:[a-z0-9_]+]], %{{.*}} = ssm.recurrence
// CHECK-DAG: %[[HC:[a-z0-9_]+]] = arith.mulf %[[H]], %[[C]]
// CHECK-DAG: %[[S:[a-z0-9_]+]] = ssm.sum %[[HC]] over n
// CHECK-DAG: %[[C2:[a-z0-9_]+]] = arith.constant -2.0
// CHECK-DAG: %[[Y:[a-z0-9_]+]] = arith.mulf %{{[a-z0-9_]+}}, %[[C2]]
// CHECK: %[[T:[a-z0-9_]+]] = ssm.sum %[[H]] over n
// CHECK: %[[Q:[a-z0-9_]+]] = arith.divf %[[T]], %[[W]]
// CHECK: ssm.yield %{{[a-z0-9_]+}}, %[[Q]]
func.func @sums(%as: tensor<?x?x?x4xf32>, %C: tensor<?x4xf32>,
                %ws: tensor<?x?x?xf32>)
    -> (tensor<?x?x?xf32>, tensor<?x?x?xf32>) {
  %r:2 = ssm.fused (%a = %as[b, l, d, n] : tensor<?x?x?x4xf32>,
                    %c = %C[d, n] : tensor<?x4xf32>,
                    %w = %ws[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>, [b, l, d] : tensor<?x?x?xf32>) {
    %two = arith.constant 2.0 : f32
    %h, %last = ssm.recurrence %a, %a : f32
    %hw = arith.mulf %h, %w fastmath<contract> : f32
    %hwc = arith.mulf %hw, %c fastmath<contract> : f32
    %neg = arith.negf %hwc : f32
    %v = arith.mulf %neg, %two fastmath<contract> : f32
    %y = ssm.sum %v over n : f32
    %q = arith.divf %h, %w : f32
    %x = ssm.sum %q over n : f32
    ssm.yield %y, %x : f32, f32
  }
  return %r#0, %r#1 : tensor<?x?x?xf32>, tensor<?x?x?xf32>
}

// -----

// A sum of what does not depend on n counts once a state: it stays.

// CHECK-LABEL: func.func @count
// CHECK: %[[P:[a-z0-9_]+]] = arith.mulf
// CHECK: ssm.sum %[[P]] over n
func.func @count(%xs: tensor<?x?x?xf32>, %C: tensor<?x4xf32>)
    -> tensor<?x?x?xf32> {
  %r = ssm.fused (%x = %xs[b, l, d] : tensor<?x?x?xf32>,
                  %c = %C[d, n] : tensor<?x4xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %p = arith.mulf %x, %x fastmath<contract> : f32
    %y = ssm.sum %p over n : f32
    ssm.yield %y : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

// Equal values are computed once, dead ones not at all.

// CHECK-LABEL: func.func @equal
// CHECK: math.tanh
// CHECK-NOT: math.tanh
// CHECK-NOT: math.sin
func.func @equal(%xs: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %r = ssm.fused (%x = %xs[b, l, d] : tensor<?x?x?xf32>)
      -> ([b, l, d] : tensor<?x?x?xf32>) {
    %t = math.tanh %x : f32
    %t2 = math.tanh %x : f32
    %dead = math.sin %x : f32
    %y = arith.addf %t, %t2 : f32
    ssm.yield %y : f32
  }
  return %r : tensor<?x?x?xf32>
}

// -----

// The state behind a step, where a product has it in parts: h' = a (h + g).

// CHECK-LABEL: func.func @next_state
// CHECK: %[[B:[a-z0-9_]+]] = arith.mulf %[[A:[a-z0-9_]+]], %[[G:[a-z0-9_]+]] fastmath
// CHECK: %[[NEXT:[a-z0-9_]+]], %{{.*}} = ssm.recurrence reverse %[[A]], %[[B]] :
// CHECK: %[[STATE:[a-z0-9_]+]], %{{.*}} = ssm.recurrence reverse exclusive %[[A]], %[[B]] :
// CHECK: %[[SUM:.*]] = arith.addf %[[STATE]], %[[G]]
// CHECK: %[[P:[a-z0-9_]+]] = arith.mulf %{{.*}}, %[[NEXT]] fastmath
// CHECK-NOT: arith.mulf
// CHECK: ssm.yield %[[P]], %[[SUM]]
func.func @next_state(%as: tensor<?x?x?x4xf32>, %gs: tensor<?x?x?x4xf32>,
                      %xs: tensor<?x?x?x4xf32>)
    -> (tensor<?x?x?x4xf32>, tensor<?x?x?x4xf32>) {
  %r:2 = ssm.fused (%a = %as[b, l, d, n] : tensor<?x?x?x4xf32>,
                    %g = %gs[b, l, d, n] : tensor<?x?x?x4xf32>,
                    %x = %xs[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>,
          [b, l, d, n] : tensor<?x?x?x4xf32>) {
    %b = arith.mulf %a, %g fastmath<contract> : f32
    %h, %last = ssm.recurrence reverse exclusive %a, %b : f32
    %sum = arith.addf %h, %g fastmath<contract> : f32
    %p = arith.mulf %sum, %x fastmath<contract> : f32
    %q = arith.mulf %p, %a fastmath<contract> : f32
    ssm.yield %q, %sum : f32, f32
  }
  return %r#0, %r#1 : tensor<?x?x?x4xf32>, tensor<?x?x?x4xf32>
}

// -----

// Not where the products must stay as they are.

// CHECK-LABEL: func.func @own_state
// CHECK-COUNT-1: ssm.recurrence
// CHECK-NOT: ssm.recurrence
// CHECK: ssm.yield
func.func @own_state(%as: tensor<?x?x?x4xf32>, %gs: tensor<?x?x?x4xf32>)
    -> tensor<?x?x?x4xf32> {
  %r = ssm.fused (%a = %as[b, l, d, n] : tensor<?x?x?x4xf32>,
                  %g = %gs[b, l, d, n] : tensor<?x?x?x4xf32>)
      -> ([b, l, d, n] : tensor<?x?x?x4xf32>) {
    %b = arith.mulf %a, %g : f32
    %h, %last = ssm.recurrence exclusive %a, %b : f32
    %sum = arith.addf %h, %g fastmath<contract> : f32
    %q = arith.mulf %sum, %a fastmath<contract> : f32
    ssm.yield %q : f32
  }
  return %r : tensor<?x?x?x4xf32>
}

// -----

// A sum that is known a loop over n earlier without its factor, where nothing
// minds.

// CHECK-LABEL: func.func @earlier
// CHECK: %[[S:.*]] = ssm.sum %[[X:[a-z0-9]+]] over n
// CHECK: %[[T:.*]] = ssm.sum %[[W:[a-z0-9]+]] over n
// CHECK: arith.mulf %{{.*}}, %{{.*}}
// CHECK: ssm.recurrence
func.func @earlier(%x_: tensor<?x?x4xf32>, %w_: tensor<?x?x4xf32>)
    -> tensor<?x?x4xf32> {
  %y = ssm.fused (%x = %x_[b, l, n] : tensor<?x?x4xf32>,
                  %w = %w_[b, l, n] : tensor<?x?x4xf32>)
      -> ([b, l, n] : tensor<?x?x4xf32>) {
    %s = ssm.sum %x over n : f32
    %p = arith.mulf %s, %w fastmath<contract> : f32
    %t = ssm.sum %p over n : f32
    %g, %last = ssm.recurrence %w, %t : f32
    ssm.yield %g : f32
  }
  return %y : tensor<?x?x4xf32>
}

// -----

// (C10) But not where states that read it would be gone when a later sum is
// known.

// CHECK-LABEL: func.func @not_too_early
// CHECK: %[[S:.*]] = ssm.sum
// CHECK: %[[P:.*]] = arith.mulf %[[S]], %[[W:[a-z0-9]+]]
// CHECK: ssm.sum %[[P]] over n
func.func @not_too_early(%x_: tensor<?x?x4xf32>, %w_: tensor<?x?x4xf32>)
    -> tensor<?x?x4xf32> {
  %y = ssm.fused (%x = %x_[b, l, n] : tensor<?x?x4xf32>,
                  %w = %w_[b, l, n] : tensor<?x?x4xf32>)
      -> ([b, l, n] : tensor<?x?x4xf32>) {
    %s = ssm.sum %x over n : f32
    %p = arith.mulf %s, %w fastmath<contract> : f32
    %t = ssm.sum %p over n : f32
    %q = math.tanh %p : f32
    %u = ssm.sum %q over n : f32
    %g, %last = ssm.recurrence %w, %t : f32
    %r = arith.mulf %g, %u fastmath<contract> : f32
    ssm.yield %r : f32
  }
  return %y : tensor<?x?x4xf32>
}
