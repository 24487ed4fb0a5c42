//===- Pipe.h - Bytes between processes -------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a process and its workers tell each other over pipes.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_PIPE_H
#define MAMBA_TEST_E2E_NUMERICS_PIPE_H

#include <cstddef>

namespace mamba::numerics {

/// Writes or reads all `bytes` of a pipe; false where the other end is gone.
bool writeAll(int file, const void *data, size_t bytes);
bool readAll(int file, void *data, size_t bytes);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_PIPE_H
