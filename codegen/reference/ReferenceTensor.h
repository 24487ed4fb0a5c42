//===- ReferenceTensor.h - Tensors of the reference device ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reference computes in double precision whatever a type says, so its
// tensors hold doubles. Problems too large for that are checked on slices:
// some sequences and some channels, which no op of the dialect mixes.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_REFERENCE_REFERENCETENSOR_H
#define MAMBA_CODEGEN_REFERENCE_REFERENCETENSOR_H

#include "mlir/Support/LLVM.h"
#include "runtime/Artifact.h"
#include "runtime/Tensor.h"
#include "llvm/ADT/SmallVector.h"

#include <complex>
#include <optional>
#include <string>
#include <vector>

namespace mlir::ssm {

/// A dense row-major tensor. Integers and truth values are held as numbers
/// (exact up to 2^53).
struct ReferenceTensor {
  SmallVector<int64_t> shape;
  bool isComplex = false;
  std::vector<double> re;
  /// Empty where the tensor is real.
  std::vector<double> im;

  /// All elements zero. The caller knows that the extents' product fits.
  static ReferenceTensor zeros(ArrayRef<int64_t> shape, bool isComplex);

  /// The elements of `view`, which must lie in host memory.
  static ReferenceTensor fromView(const mamba::TensorView &view);

  int64_t numElements() const { return static_cast<int64_t>(re.size()); }

  std::complex<double> get(int64_t i) const {
    return {re[i], isComplex ? im[i] : 0.0};
  }
  /// A real tensor drops the imaginary part.
  void set(int64_t i, std::complex<double> value) {
    re[i] = value.real();
    if (isComplex)
      im[i] = value.imag();
  }
};

/// A part of a problem: some sequences, and the channels [channelBegin,
/// channelEnd) of each. The channels must be whole groups of every grouped
/// tensor, or lie within one group.
struct ReferenceSlice {
  SmallVector<int64_t> batches;
  int64_t channelBegin = 0;
  int64_t channelEnd = 0;
  /// Channels of the whole problem.
  int64_t numChannels = 0;
};

/// The part of `view` (host memory, dimensions as in `spec`) that belongs to
/// `slice`. Where there is none, returns nothing and says why in `error`.
std::optional<ReferenceTensor> narrow(const mamba::TensorView &view,
                                      const mamba::TensorSpec &spec,
                                      const ReferenceSlice &slice,
                                      std::string &error);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_REFERENCE_REFERENCETENSOR_H
