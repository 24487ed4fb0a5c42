//===- Warning.h - Where warnings go -------------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A broken cache entry or a folder that can't be written must be seen but must
// not fail a run. A program that embeds the runtime redirects them.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_WARNING_H
#define MAMBA_RUNTIME_WARNING_H

#include <string_view>

namespace mamba {

using WarningHandler = void (*)(std::string_view message);

/// Says something that a user should know but that stops nothing. The default
/// handler writes "mamba: warning: <message>" to stderr. Thread-safe.
void warn(std::string_view message);

/// Replaces the handler (null: the default one) and returns the old one.
WarningHandler setWarningHandler(WarningHandler handler);

} // namespace mamba

#endif // MAMBA_RUNTIME_WARNING_H
