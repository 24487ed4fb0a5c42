//===- DiskStore.h - Cache entries as files ------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One file an entry. Every process may be killed at any point, and others read
// and write the same folder, so files appear by rename only and carry a
// checksum.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_DISKSTORE_H
#define MAMBA_RUNTIME_DISKSTORE_H

#include "runtime/FileIO.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace mamba {

/// Entries in one folder. Thread-safe. Reports nothing to the caller: an entry
/// that can't be read is missing, one that can't be written is not kept, and a
/// warning says why, once for the folder and once for each broken entry.
class DiskStore {
public:
  /// `folder` empty: holds nothing. Touches no file before the first call.
  DiskStore(std::string folder, int64_t maxBytes);

  /// The bytes stored under `key`, a file name's worth of characters.
  std::optional<std::string> read(const std::string &key);
  void write(const std::string &key, std::string_view bytes);
  void remove(const std::string &key);

private:
  using Folder = std::shared_ptr<const FileDescriptor>;

  /// The folder, created and checked on first use; null if it can't be used.
  Folder folder();
  Folder openLocked();
  Status store(const std::string &name, std::string_view bytes);
  void discard(const Folder &folder, const std::string &name,
               std::string_view reason);
  /// Adds to what is known to be stored, and evicts when it is time.
  void account(const Folder &folder, int64_t bytes);

  const std::string path_;
  const int64_t maxBytes_;

  std::mutex mutex_;
  Folder folder_;
  /// Set by trouble: nothing is read any more, or nothing is written.
  bool unusable_ = false;
  bool readOnly_ = false;
  /// Bytes in the folder: as counted last, plus what was written since.
  int64_t storedBytes_ = 0;
  /// Writes until the folder is counted again, for others write to it too.
  int writesToCount_ = 0;
};

/// Removes the least recently used entries of an open folder until the others
/// have at most `maxBytes`, and temporary files that a killed process left.
/// Returns the bytes that remain.
int64_t evict(int folder, int64_t maxBytes);

} // namespace mamba

#endif // MAMBA_RUNTIME_DISKSTORE_H
