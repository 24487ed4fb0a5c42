//===- Validate.h - Whether an artifact makes sense ----------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the compiler made and what came from a file is checked once, so that a
// launch can trust every index in it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_VALIDATE_H
#define MAMBA_RUNTIME_VALIDATE_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <string_view>

namespace mamba {

/// Tensors of a function and arguments of a launch at most. CUDA passes 4096
/// bytes of arguments.
inline constexpr size_t kMaxTensors = 64;
inline constexpr size_t kMaxArgs = 512;
/// Enumerators of Axis.
inline constexpr size_t kNumAxes = 6;

/// "batch", "length", ..., for messages.
std::string_view toString(Axis axis);

/// Letters of the axes in the order of Axis, as files and messages have them;
/// '.' is Axis::Other.
inline constexpr std::string_view kAxisLetters = "bldng.";

/// The axis' letter.
constexpr char letterOf(Axis axis) {
  return kAxisLetters[static_cast<size_t>(axis)];
}

/// InvalidArgument that names the field if `artifact` contradicts itself: an
/// index out of range, an extent that nothing determines, a missing entry name.
Status validate(const Artifact &artifact);

} // namespace mamba

#endif // MAMBA_RUNTIME_VALIDATE_H
