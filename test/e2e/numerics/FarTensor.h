//===- FarTensor.h - A tensor with a stride past 32 bits --------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The field's best known silent error is an offset that overflows 32 bits. A
// few elements far apart show it without a tensor of that size.
//
// Temporaries are row-major, and kernels get their strides as they do those of
// tensors: one with a longer dimension has its elements far apart as well.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_FARTENSOR_H
#define MAMBA_TEST_E2E_NUMERICS_FARTENSOR_H

#include "runtime/Artifact.h"
#include "runtime/Buffer.h"

#include <functional>
#include <string>
#include <string_view>

namespace mamba::numerics {

/// Memory of a device for the elements of a tensor, of which only those
/// elements are touched: on the CPU the rest costs address space alone.
class FarTensor {
public:
  FarTensor() = default;
  ~FarTensor();
  FarTensor(FarTensor &&other) noexcept { *this = std::move(other); }
  FarTensor &operator=(FarTensor &&other) noexcept;

  /// A copy of `host` in which the last index of dimension `dim` lies `reach`
  /// elements or a few more from the first.
  static Result<FarTensor> copyOf(const HostTensor &host, int dim,
                                  int64_t reach,
                                  const std::shared_ptr<Device> &device);

  const TensorView &view() const { return view_; }
  /// Copies the elements back.
  Status copyTo(HostTensor &host) const;

private:
  std::shared_ptr<Device> device_;
  DeviceBuffer buffer_;
  void *mapping_ = nullptr;
  size_t mappedBytes_ = 0;
  TensorView view_;
};

/// What a case calls tensor `i`: its name, with a number behind it if earlier
/// ones have the same.
std::string tensorName(const Artifact &artifact, size_t i);

/// Lengthens the dimension behind dimension `dim` of a temporary until its last
/// index lies `reach` elements from the first where an axis has the extent
/// `extentOf(axis)`. Of several, "A+B", whose strides a kernel takes for the
/// same. InvalidArgument if there are no two such indices, or no such
/// dimension.
Status stretchTemporaries(Artifact &artifact, std::string_view names,
                          size_t dim, int64_t reach,
                          const std::function<int64_t(Axis)> &extentOf);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_FARTENSOR_H
