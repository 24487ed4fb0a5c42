// RUN: mamba-opt %s -verify-diagnostics --split-input-file

func.func @C1_states(%x: tensor<?x4xf32>) {
  %y = ssm.fused (%v = %x[b, n] : tensor<?x4xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'ssm.total' op (C1) sums over [n], expected some of b, l and either d or g}}
    %s = ssm.total %v over <n> : f32 -> f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @C1_none(%x: tensor<?x4xf32>) {
  %y = ssm.fused (%v = %x[b, d] : tensor<?x4xf32>) -> ([b, d] : tensor<?x4xf32>) {
    // expected-error@+1 {{'ssm.total' op (C1) sums over [], expected some of b, l and either d or g}}
    %s = ssm.total %v over <> : f32 -> f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @C2(%x: tensor<?xf32>, %z: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b] : tensor<?xf32>, %w = %z[b, l] : tensor<?x?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'ssm.total' op (C2) sums over l what does not depend on it}}
    %s = ssm.total %v over <l> : f32 -> f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @C2_groups(%x: tensor<?x2xf32>, %z: tensor<4xf32>) {
  %y = ssm.fused (%v = %x[b, g] : tensor<?x2xf32>, %w = %z[d] : tensor<4xf32>) -> ([b, g] : tensor<?x2xf32>) {
    // expected-error@+1 {{'ssm.total' op (C2) sums over g what does not depend on it}}
    %s = ssm.total %v over <g> : f32 -> f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @C3(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b] : tensor<?xf32>) {
    // expected-error@+1 {{'ssm.total' op (C3) is read by arith.addf, expected ssm.yield alone}}
    %s = ssm.total %v over <l> : f32 -> f32
    %t = arith.addf %s, %s : f32
    ssm.yield %t : f32
  }
  return
}

// -----

func.func @C4(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b, l] : tensor<?x?xf32>) {
    // expected-error@+1 {{'ssm.total' op (C4) sums over l, but result 0 has the axes [b, l]}}
    %s = ssm.total %v over <l> : f32 -> f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @C4_groups(%x: tensor<?x4xf32>) {
  %y = ssm.fused (%v = %x[b, d] : tensor<?x4xf32>) -> ([b, d] : tensor<?x4xf32>) {
    // expected-error@+1 {{'ssm.total' op (C4) sums over g, but result 0 has the axes [b, d]}}
    %s = ssm.total %v over <g> : f32 -> f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @C5(%x: tensor<?x?xf32>) {
  %y = ssm.fused (%v = %x[b, l] : tensor<?x?xf32>) -> ([b] : tensor<?xf64>) {
    // expected-error@+1 {{'ssm.total' op (C5) has type 'f64', expected 'f32' or a narrower float}}
    %s = ssm.total %v over <l> : f32 -> f64
    ssm.yield %s : f64
  }
  return
}

// -----

func.func @fused_C7(%x: tensor<?x5xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C7) result 0 has 2 groups, which do not divide the 5 channels}}
  %y = ssm.fused (%v = %x[b, d] : tensor<?x5xf32>) -> ([b, g] : tensor<?x2xf32>) {
    %s = ssm.total %v over <g> : f32 -> f32
    ssm.yield %s : f32
  }
  return
}

// -----

func.func @fused_C11(%x: tensor<?x4xf32>, %z: tensor<?x2xf32>) {
  // expected-error@+1 {{'ssm.fused' op (C11) result 0 has a group axis, expected d, or an ssm.total over g}}
  %y = ssm.fused (%v = %x[b, d] : tensor<?x4xf32>, %w = %z[b, g] : tensor<?x2xf32>) -> ([b, g] : tensor<?x2xf32>) {
    ssm.yield %w : f32
  }
  return
}
