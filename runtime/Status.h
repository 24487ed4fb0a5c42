//===- Status.h - Success, or a typed error with its message -- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime throws nothing and prints nothing: every call that can fail
// returns a Status or a Result, which a caller cannot drop unnoticed.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_STATUS_H
#define MAMBA_RUNTIME_STATUS_H

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace mamba {

/// What went wrong, for callers that act on it; the message is for people.
enum class StatusCode : uint8_t {
  Ok,
  InvalidArgument,  ///< The caller passed something a kernel can't take.
  NotFound,         ///< A file, library, device or symbol that isn't there.
  Unsupported,      ///< Well formed, but not on this device or build.
  DriverError,      ///< The CUDA driver refused a call.
  OutOfMemory,      ///< Host or device memory ran out.
  CorruptData,      ///< Bytes that fail their checksum or can't be parsed.
  IoError,          ///< The operating system refused a file operation.
  CompileError,     ///< The compiler or the driver's JIT rejected the code.
  CaptureForbidden, ///< Would load or allocate while a stream is captured.
  Forked,           ///< The device was opened before this process was forked.
  Internal          ///< A bug of this library.
};

/// The code's name as it is written above.
std::string_view toString(StatusCode code);

/// Success, or an error. Making and copying a success allocates nothing.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(StatusCode code, std::string message)
      : code_(code), message_(std::move(message)) {
    assert(code != StatusCode::Ok && "an error needs an error code");
  }

  static Status success() { return Status(); }

  bool ok() const { return code_ == StatusCode::Ok; }
  StatusCode code() const { return code_; }
  /// Empty if ok().
  const std::string &message() const { return message_; }

  /// The same error with `prefix` and ": " before its message; a success
  /// stays one.
  Status withContext(std::string_view prefix) const &;
  Status withContext(std::string_view prefix) &&;

  /// "Ok", or "<code>: <message>".
  std::string toString() const;

private:
  StatusCode code_ = StatusCode::Ok;
  std::string message_;
};

/// A value, or the error that stands for it.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state_(std::in_place_index<1>, std::move(value)) {}
  Result(Status error) : state_(std::in_place_index<0>, std::move(error)) {
    assert(!std::get<0>(state_).ok() &&
           "a Result without value needs an error");
  }
  Result(StatusCode code, std::string message)
      : Result(Status(code, std::move(message))) {}

  bool ok() const { return state_.index() == 1; }
  explicit operator bool() const { return ok(); }

  /// The value; only if ok().
  T &value() & { return *std::get_if<1>(&state_); }
  const T &value() const & { return *std::get_if<1>(&state_); }
  T &&value() && { return std::move(*std::get_if<1>(&state_)); }
  T &operator*() & { return value(); }
  const T &operator*() const & { return value(); }
  T &&operator*() && { return std::move(*this).value(); }
  T *operator->() { return std::get_if<1>(&state_); }
  const T *operator->() const { return std::get_if<1>(&state_); }

  /// Success, or the error.
  Status status() const {
    const Status *error = std::get_if<0>(&state_);
    return error ? *error : Status();
  }
  StatusCode code() const {
    const Status *error = std::get_if<0>(&state_);
    return error ? error->code() : StatusCode::Ok;
  }

private:
  std::variant<Status, T> state_;
};

} // namespace mamba

/// Returns from the function if `expression` (a Status) is an error.
#define MAMBA_RETURN_IF_ERROR(expression)                                      \
  do {                                                                         \
    if (::mamba::Status mambaStatus = (expression); !mambaStatus.ok())         \
      return mambaStatus;                                                      \
  } while (false)

#define MAMBA_CONCAT_IMPL(a, b) a##b
#define MAMBA_CONCAT(a, b) MAMBA_CONCAT_IMPL(a, b)

/// Declares `lhs` as the value of `expression` (a Result), or returns its
/// error.
#define MAMBA_ASSIGN_OR_RETURN(lhs, expression)                                \
  MAMBA_ASSIGN_OR_RETURN_IMPL(MAMBA_CONCAT(mambaResult, __LINE__), lhs,        \
                              expression)
#define MAMBA_ASSIGN_OR_RETURN_IMPL(result, lhs, expression)                   \
  auto result = (expression);                                                  \
  if (!result.ok())                                                            \
    return result.status();                                                    \
  lhs = std::move(result).value()

#endif // MAMBA_RUNTIME_STATUS_H
