// RUN: mamba-opt --ssm-fuse --canonicalize --cse --split-input-file %s | FileCheck %s

// The discretization rules and readouts as scalars (SSMOps.td has the formulas).

// CHECK-LABEL: func.func @euler
// CHECK: ssm.fused (%[[DELTA:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d] : {{.*}}, %[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[U:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d]
// CHECK-DAG: %[[ONE:[a-z0-9_]+]] = arith.constant 1.0
// CHECK: %[[X:[a-z0-9_]+]] = arith.mulf %[[DELTA]], %[[A]]
// CHECK: %[[DECAY:[a-z0-9_]+]] = arith.addf %[[X]], %[[ONE]]
// CHECK: %[[DU:[a-z0-9_]+]] = arith.mulf %[[DELTA]], %[[U]]
// CHECK: %[[IN:[a-z0-9_]+]] = arith.mulf %[[DU]], %[[B]]
// CHECK: ssm.recurrence %[[DECAY]], %[[IN]] : f32
func.func @euler(%delta: tensor<?x?x?xf32>, %A: tensor<?x4xf32>,
                 %B: tensor<?x4xf32>, %u: tensor<?x?x?xf32>)
    -> tensor<?x?x?x4xf32> {
  %a, %b = ssm.discretize euler %delta, %A, %B, %u
    : tensor<?x?x?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x4xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  return %h : tensor<?x?x?x4xf32>
}

// -----

// Near zero the series, elsewhere the quotient. With a constant delta all but
// the last product with u is free of b and l.

// CHECK-LABEL: func.func @zoh
// CHECK: ssm.fused (%[[DELTA:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d] : {{.*}}, %[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[U:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d]
// CHECK-DAG: %[[C7:[a-z0-9_]+]] = arith.constant 2.48015876E-5
// CHECK-DAG: %[[C6:[a-z0-9_]+]] = arith.constant 1.98412701E-4
// CHECK-DAG: %[[HALF:[a-z0-9_]+]] = arith.constant 5.0
// CHECK-DAG: %[[ONE:[a-z0-9_]+]] = arith.constant 1.0
// CHECK: %[[X:[a-z0-9_]+]] = arith.mulf %[[DELTA]], %[[A]]
// CHECK: %[[E:[a-z0-9_]+]] = math.exp %[[X]]
// CHECK: %[[H0:[a-z0-9_]+]] = arith.mulf %[[X]], %[[C7]]
// CHECK: %[[H1:[a-z0-9_]+]] = arith.addf %[[H0]], %[[C6]]
// CHECK: %[[HX:[a-z0-9_]+]] = arith.mulf %{{.*}}, %[[X]]
// CHECK: %[[SERIES:[a-z0-9_]+]] = arith.addf %{{.*}}, %[[ONE]] fastmath
// CHECK-NEXT: %[[EM1:[a-z0-9_]+]] = arith.subf %[[E]], %[[ONE]]
// CHECK: %[[Q:[a-z0-9_]+]] = arith.divf %[[EM1]], %[[X]]
// CHECK: %[[ABS:[a-z0-9_]+]] = math.absf %[[X]]
// CHECK: %[[NEAR:[a-z0-9_]+]] = arith.cmpf olt, %[[ABS]], %[[HALF]]
// CHECK: %[[PHI:[a-z0-9_]+]] = arith.select %[[NEAR]], %[[SERIES]], %[[Q]]
// CHECK: %[[DB:[a-z0-9_]+]] = arith.mulf %[[DELTA]], %[[B]]
// CHECK: %[[DBPHI:[a-z0-9_]+]] = arith.mulf %[[DB]], %[[PHI]]
// CHECK: %[[IN:[a-z0-9_]+]] = arith.mulf %[[DBPHI]], %[[U]]
// CHECK: ssm.recurrence %[[E]], %[[IN]] : f32
func.func @zoh(%delta: tensor<?xf32>, %A: tensor<?x4xf32>,
               %B: tensor<?x4xf32>, %u: tensor<?x?x?xf32>)
    -> tensor<?x?x4xf32> {
  %a, %b = ssm.discretize zoh %delta, %A, %B, %u
    : tensor<?xf32>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x4xf32>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xf32>
  return %last : tensor<?x?x4xf32>
}

// -----

// Double precision needs more terms: the first is 1 / 16!.

// CHECK-LABEL: func.func @zoh_double
// CHECK: arith.constant 4.779{{.*}}E-14 : f64
func.func @zoh_double(%delta: tensor<?xf64>, %A: tensor<?x4xf64>,
                      %B: tensor<?x4xf64>, %u: tensor<?x?x?xf64>)
    -> tensor<?x?x4xf64> {
  %a, %b = ssm.discretize zoh %delta, %A, %B, %u
    : tensor<?xf64>, tensor<?x4xf64>, tensor<?x4xf64>, tensor<?x?x?xf64>
    -> tensor<?x?x?x4xf64>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xf64>
  return %last : tensor<?x?x4xf64>
}

// -----

// A complex filter bank, as S4D: real factors scale, the readout computes the
// real part alone.

// CHECK-LABEL: func.func @zoh_complex
// CHECK: ssm.fused (%[[DELTA:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d] : {{.*}}, %[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[C:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[U:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d]
// CHECK-DAG: %[[BOUND:[a-z0-9_]+]] = arith.constant 2.5
// CHECK: %[[AR:[a-z0-9_]+]] = complex.re %[[A]]
// CHECK: %[[XR:[a-z0-9_]+]] = arith.mulf %[[AR]], %[[DELTA]]
// CHECK: %[[AI:[a-z0-9_]+]] = complex.im %[[A]]
// CHECK: %[[XI:[a-z0-9_]+]] = arith.mulf %[[AI]], %[[DELTA]]
// CHECK: %[[X:[a-z0-9_]+]] = complex.create %[[XR]], %[[XI]]
// CHECK: %[[E:[a-z0-9_]+]] = complex.exp %[[X]]
// CHECK: complex.mul %{{.*}}, %[[X]] fastmath<contract>
// CHECK: complex.div %{{.*}}, %[[X]]
// CHECK: arith.cmpf olt, %{{.*}}, %[[BOUND]]
// CHECK: %[[DBPHI:[a-z0-9_]+]] = complex.mul
// CHECK: %[[R:[a-z0-9_]+]] = complex.re %[[DBPHI]]
// CHECK: %[[UR:[a-z0-9_]+]] = arith.mulf %[[R]], %[[U]]
// CHECK: %[[I:[a-z0-9_]+]] = complex.im %[[DBPHI]]
// CHECK: %[[UI:[a-z0-9_]+]] = arith.mulf %[[I]], %[[U]]
// CHECK: %[[IN:[a-z0-9_]+]] = complex.create %[[UR]], %[[UI]]
// CHECK: %[[H:[a-z0-9_]+]], %{{.*}} = ssm.recurrence %[[E]], %[[IN]] : complex<f32>
// CHECK: %[[HR:[a-z0-9_]+]] = complex.re %[[H]]
// CHECK: %[[CR:[a-z0-9_]+]] = complex.re %[[C]]
// CHECK: %[[RR:[a-z0-9_]+]] = arith.mulf %[[HR]], %[[CR]]
// CHECK: %[[HI:[a-z0-9_]+]] = complex.im %[[H]]
// CHECK: %[[CI:[a-z0-9_]+]] = complex.im %[[C]]
// CHECK: %[[II:[a-z0-9_]+]] = arith.mulf %[[HI]], %[[CI]]
// CHECK: %[[Y:[a-z0-9_]+]] = arith.subf %[[RR]], %[[II]]
// CHECK: ssm.sum %[[Y]] over n : f32
func.func @zoh_complex(%delta: tensor<?xf32>, %A: tensor<?x4xcomplex<f32>>,
                       %B: tensor<?x4xcomplex<f32>>,
                       %C: tensor<?x4xcomplex<f32>>, %u: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  %a, %b = ssm.discretize zoh %delta, %A, %B, %u
    : tensor<?xf32>, tensor<?x4xcomplex<f32>>, tensor<?x4xcomplex<f32>>, tensor<?x?x?xf32>
    -> tensor<?x?x?x4xcomplex<f32>>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xcomplex<f32>>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xcomplex<f32>>, tensor<?x4xcomplex<f32>> -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}

// -----

// One division for both coefficients. A real B of a complex system stays real
// until it meets the quotient; so does a real C in the readout.

// CHECK-LABEL: func.func @bilinear_complex
// CHECK: ssm.fused (%[[DELTA:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d] : {{.*}}, %[[A:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[B:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[C:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[d, n] : {{.*}}, %[[U:[a-z0-9_]+]] = %{{[a-z0-9_]+}}[b, l, d]
// CHECK: %[[INV:[a-z0-9_]+]] = complex.div
// CHECK-NOT: complex.div
// CHECK: %[[XINV:[a-z0-9_]+]] = complex.mul %{{.*}}, %[[INV]]
// CHECK: complex.re %[[XINV]]
// CHECK: %[[INVR:[a-z0-9_]+]] = complex.re %[[INV]]
// CHECK: arith.select
// CHECK: arith.select
// CHECK: %[[DECAY:[a-z0-9_]+]] = complex.create
// CHECK: %[[DB:[a-z0-9_]+]] = arith.mulf %[[DELTA]], %[[B]]
// CHECK: arith.mulf %[[INVR]], %[[DB]]
// CHECK: %[[H:[a-z0-9_]+]], %{{.*}} = ssm.recurrence %[[DECAY]], %{{.*}} : complex<f32>
// CHECK: %[[HR:[a-z0-9_]+]] = complex.re %[[H]]
// CHECK: %[[Y:[a-z0-9_]+]] = arith.mulf %[[HR]], %[[C]]
// CHECK: ssm.sum %[[Y]] over n : f32
func.func @bilinear_complex(%delta: tensor<?xf32>, %A: tensor<?x4xcomplex<f32>>,
                            %B: tensor<?x4xf32>, %C: tensor<?x4xf32>,
                            %u: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %a, %b = ssm.discretize bilinear %delta, %A, %B, %u
    : tensor<?xf32>, tensor<?x4xcomplex<f32>>, tensor<?x4xf32>, tensor<?x?x?xf32>
    -> tensor<?x?x?x4xcomplex<f32>>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xcomplex<f32>>
  %y = ssm.readout %h, %C
    : tensor<?x?x?x4xcomplex<f32>>, tensor<?x4xf32> -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}

// -----

// A real A with a complex B: the recurrence has one type.

// CHECK-LABEL: func.func @mixed
// CHECK: %[[ZERO:[a-z0-9_]+]] = arith.constant 0.0
// CHECK: %[[E:[a-z0-9_]+]] = math.exp
// CHECK: %[[DECAY:[a-z0-9_]+]] = complex.create %[[E]], %[[ZERO]]
// CHECK: ssm.recurrence %[[DECAY]], %{{.*}} : complex<f32>
func.func @mixed(%delta: tensor<?xf32>, %A: tensor<?x4xf32>,
                 %B: tensor<?x4xcomplex<f32>>, %u: tensor<?x?x?xf32>)
    -> tensor<?x?x4xcomplex<f32>> {
  %a, %b = ssm.discretize mamba %delta, %A, %B, %u
    : tensor<?xf32>, tensor<?x4xf32>, tensor<?x4xcomplex<f32>>, tensor<?x?x?xf32>
    -> tensor<?x?x?x4xcomplex<f32>>
  %h, %last = ssm.scan %a, %b : tensor<?x?x?x4xcomplex<f32>>
  return %last : tensor<?x?x4xcomplex<f32>>
}

// -----

// CHECK-LABEL: func.func @gates
// CHECK: ssm.fused (%[[Y:[a-z0-9_]+]] = %{{.*}}, %[[Z:[a-z0-9_]+]] = %{{.*}}) ->
// CHECK-DAG: %[[ONE:[a-z0-9_]+]] = arith.constant 1.0
// CHECK-DAG: %[[HALF:[a-z0-9_]+]] = arith.constant 5.0
// CHECK-DAG: %[[RSQRT2:[a-z0-9_]+]] = arith.constant 0.70710
// CHECK: %[[NEG:[a-z0-9_]+]] = arith.negf %[[Z]]
// CHECK: %[[E:[a-z0-9_]+]] = math.exp %[[NEG]]
// CHECK: %[[DEN:[a-z0-9_]+]] = arith.addf %[[E]], %[[ONE]]
// CHECK: %[[SILU:[a-z0-9_]+]] = arith.divf %[[Z]], %[[DEN]]
// CHECK: %[[Y1:[a-z0-9_]+]] = arith.mulf %[[Y]], %[[SILU]]
// CHECK: %[[Y2:[a-z0-9_]+]] = arith.divf %[[Y1]], %[[DEN]]
// CHECK: %[[ZS:[a-z0-9_]+]] = arith.mulf %[[Z]], %[[RSQRT2]]
// CHECK: %[[ERF:[a-z0-9_]+]] = math.erf %[[ZS]]
// CHECK: %[[ZH:[a-z0-9_]+]] = arith.mulf %[[Z]], %[[HALF]]
// CHECK: %[[ERF1:[a-z0-9_]+]] = arith.addf %[[ERF]], %[[ONE]]
// CHECK: %[[GELU:[a-z0-9_]+]] = arith.mulf %[[ZH]], %[[ERF1]]
// CHECK: arith.mulf %[[Y2]], %[[GELU]]
func.func @gates(%y: tensor<?x?x?xf32>, %z: tensor<?x?x?xf32>)
    -> tensor<?x?x?xf32> {
  %1 = ssm.gate silu %y, %z : tensor<?x?x?xf32>
  %2 = ssm.gate sigmoid %1, %z : tensor<?x?x?xf32>
  %3 = ssm.gate gelu %2, %z : tensor<?x?x?xf32>
  return %3 : tensor<?x?x?xf32>
}
