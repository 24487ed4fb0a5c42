//===- Difference.h - How far two devices' results are apart ----*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_DIFFERENCE_H
#define MAMBA_TEST_E2E_NUMERICS_DIFFERENCE_H

#include "runtime/Tensor.h"

namespace mamba::numerics {

/// Two back ends' results for one device may be so far apart.
inline constexpr double kMaxUlps = 2;

/// The largest difference between elements of `x` and `y` (of one shape and
/// type) in units in the last place of the type. The unit is that of the
/// element, or of the root mean square of `x` where that is larger: digits
/// that a sum cancels are no one's to keep. Infinity where one alone is NaN.
double largestUlps(const HostTensor &x, const HostTensor &y);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_DIFFERENCE_H
