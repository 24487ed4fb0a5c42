//===- Npy.h - NumPy's array files ------------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How arrays come from and go to NumPy: one array a file, with element type,
// shape and order in a short text header.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_IO_NPY_H
#define MAMBA_TOOLS_IO_NPY_H

#include "runtime/Status.h"
#include "runtime/Tensor.h"

#include <string>

namespace mamba {

/// Reads an array of format version 1, 2 or 3 with little-endian elements of
/// type f2, f4, f8, c8, c16, or V2, which is what NumPy writes for ml_dtypes'
/// bfloat16. Memory stays as it is in the file: an array in Fortran order gets
/// column-major strides. Fails with the path, the byte and what was required,
/// also where bytes are left over.
Result<HostTensor> readNpy(const std::string &path);

/// Writes the elements in C order, bf16 as V2
/// (`numpy.load(path).view(ml_dtypes.bfloat16)` gets it back).
Status writeNpy(const std::string &path, const TensorView &view);

} // namespace mamba

#endif // MAMBA_TOOLS_IO_NPY_H
