//===- Safetensors.h - Named tensors in one file ----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The format that models are shipped in: a JSON header that says where each
// tensor lies, then their bytes. A file is opened first and its tensors are
// read one by one, since only a few of a large model's are wanted.
// https://huggingface.co/docs/safetensors
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_IO_SAFETENSORS_H
#define MAMBA_TOOLS_IO_SAFETENSORS_H

#include "runtime/Status.h"
#include "runtime/Tensor.h"
#include "tools/io/File.h"

#include <string>
#include <utility>
#include <vector>

namespace mamba {

/// What the header says of one tensor.
struct SafetensorsEntry {
  std::string name;
  /// As in the file, e.g. "F32"; not every type can be read.
  std::string dtype;
  std::vector<int64_t> shape;
  /// The elements' bytes, counted from the end of the header.
  int64_t begin = 0;
  int64_t end = 0;
};

/// An open file whose header has been checked: names differ, byte ranges lie in
/// the file, cover it without gap or overlap, and fit the shapes.
class SafetensorsFile {
public:
  static Result<SafetensorsFile> open(const std::string &path);

  /// In the order of their bytes.
  const std::vector<SafetensorsEntry> &entries() const { return entries_; }

  /// Reads the tensor called `name`, of type F64, F32, F16, BF16 or C64, into
  /// row-major memory. NotFound lists the names there are.
  Result<HostTensor> read(std::string_view name) const;

private:
  SafetensorsFile(InputFile file, int64_t dataOffset,
                  std::vector<SafetensorsEntry> entries)
      : file_(std::move(file)), dataOffset_(dataOffset),
        entries_(std::move(entries)) {}

  InputFile file_;
  int64_t dataOffset_;
  std::vector<SafetensorsEntry> entries_;
};

/// Writes tensors with different names; the views may have any strides. C128
/// has no name in the format and is refused.
Status
writeSafetensors(const std::string &path,
                 std::span<const std::pair<std::string, TensorView>> tensors);

} // namespace mamba

#endif // MAMBA_TOOLS_IO_SAFETENSORS_H
