// RUN: mamba-opt %S/Inputs/ema.mlir --ssm-to-gpu="chip=sm_90 batch=1 length=64 channels=8" | FileCheck %s --check-prefix=GPU
// RUN: mamba-opt %S/Inputs/ema.mlir --ssm-to-gpu="schedule=#ssm.schedule<lanes=4>" | FileCheck %s --check-prefix=GPU
// RUN: mamba-opt %S/Inputs/ema.mlir --ssm-to-cpu="threads=2" | FileCheck %s --check-prefix=CPU

// The named pipelines take model IR to kernels in one step.
// GPU: gpu.container_module
// GPU: gpu.func @ema_0
// GPU-SAME: ssm.launch
// CPU: ssm.plan
// CPU: @ema_0
