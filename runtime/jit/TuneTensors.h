//===- TuneTensors.h - Copies of tensors to tune on -------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tensors with the shapes, strides and alignment of somebody else's: the inputs
// with their values, the results with NaN.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_TUNETENSORS_H
#define MAMBA_RUNTIME_JIT_TUNETENSORS_H

#include "runtime/Buffer.h"
#include "runtime/jit/Jit.h"

namespace mamba {

class TuneTensors {
public:
  /// Copies `tensors` (inputs, then results) of `device` to the host and back,
  /// as many times as it takes to overflow the device's L2 cache.
  static Result<TuneTensors> copyOf(const FunctionInfo &info,
                                    const std::shared_ptr<Device> &device,
                                    std::span<const TensorView> tensors);

  /// Inputs and results on the host; the results as fetch() left them.
  std::vector<TensorView> hostInputs() const;
  std::vector<TensorView> hostResults() const;
  /// One set a launch, on the device.
  const std::vector<std::vector<TensorView>> &sets() const { return views_; }

  /// Fills the first set's results with NaN.
  Status poison();
  /// Brings the first set's results to the host.
  Status fetch();

private:
  Status addSet();
  size_t numInputs() const { return inputs_.size(); }

  std::shared_ptr<Device> device_;
  std::vector<HostTensor> inputs_;
  std::vector<HostTensor> results_;
  std::vector<std::vector<DeviceTensor>> sets_;
  std::vector<std::vector<TensorView>> views_;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_TUNETENSORS_H
