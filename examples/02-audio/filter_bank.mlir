// A bank of filters over a recording: S4D (Gu et al. 2022), a diagonal state
// space with complex A whose parameters don't depend on the input. Channel d is
// a filter; all of them hear the same samples. Two rules of discretization.

!signal = tensor<?x?x?xf32>
!modes = tensor<?x16xcomplex<f32>>
!states = tensor<?x?x?x16xcomplex<f32>>

func.func @zoh(%u: !signal, %delta: tensor<?xf32>, %A: !modes,
               %B: tensor<?x16xf32>, %C: !modes) -> !signal {
  %a, %b = ssm.discretize zoh %delta, %A, %B, %u
    : tensor<?xf32>, !modes, tensor<?x16xf32>, !signal -> !states
  %h, %last = ssm.scan %a, %b : !states
  %y = ssm.readout %h, %C : !states, !modes -> !signal
  return %y : !signal
}

func.func @bilinear(%u: !signal, %delta: tensor<?xf32>, %A: !modes,
                    %B: tensor<?x16xf32>, %C: !modes) -> !signal {
  %a, %b = ssm.discretize bilinear %delta, %A, %B, %u
    : tensor<?xf32>, !modes, tensor<?x16xf32>, !signal -> !states
  %h, %last = ssm.scan %a, %b : !states
  %y = ssm.readout %h, %C : !states, !modes -> !signal
  return %y : !signal
}
