//===- Sanitized.h - Builds whose memory is a sanitizer's -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MAMBA_TEST_SANITIZED is defined where a sanitizer owns operator new, and
// keeps freed memory for a while: allocations can't be counted then.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_SANITIZED_H
#define MAMBA_TEST_UNIT_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAMBA_TEST_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MAMBA_TEST_SANITIZED
#endif
#endif

#endif // MAMBA_TEST_UNIT_SANITIZED_H
