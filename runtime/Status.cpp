//===- Status.cpp - Success, or a typed error -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Names of the codes, and messages that grow as an error travels up.
//
//===----------------------------------------------------------------------===//

#include "runtime/Status.h"

#include <fmt/format.h>

namespace mamba {

std::string_view toString(StatusCode code) {
  switch (code) {
  case StatusCode::Ok:
    return "Ok";
  case StatusCode::InvalidArgument:
    return "InvalidArgument";
  case StatusCode::NotFound:
    return "NotFound";
  case StatusCode::Unsupported:
    return "Unsupported";
  case StatusCode::DriverError:
    return "DriverError";
  case StatusCode::OutOfMemory:
    return "OutOfMemory";
  case StatusCode::CorruptData:
    return "CorruptData";
  case StatusCode::IoError:
    return "IoError";
  case StatusCode::CompileError:
    return "CompileError";
  case StatusCode::CaptureForbidden:
    return "CaptureForbidden";
  case StatusCode::Forked:
    return "Forked";
  case StatusCode::Internal:
    return "Internal";
  }
  return "Unknown";
}

Status Status::withContext(std::string_view prefix) const & {
  return Status(*this).withContext(prefix);
}

Status Status::withContext(std::string_view prefix) && {
  if (ok())
    return std::move(*this);
  return Status(code_, fmt::format("{}: {}", prefix, message_));
}

std::string Status::toString() const {
  if (ok())
    return "Ok";
  return fmt::format("{}: {}", mamba::toString(code_), message_);
}

} // namespace mamba
