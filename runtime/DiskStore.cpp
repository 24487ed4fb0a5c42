//===- DiskStore.cpp - Cache entries as files -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Paths are resolved once, when the folder is opened and checked; everything
// after goes through its descriptor, so nobody can put another folder in its
// place.
//
//===----------------------------------------------------------------------===//

#include "runtime/DiskStore.h"

#include "runtime/ByteStream.h"
#include "runtime/Hash.h"
#include "runtime/Warning.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mamba {

namespace {

constexpr std::string_view kMagic = "MAMBACHE";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 8 + 4 + 16;
constexpr std::string_view kSuffix = ".entry";
constexpr int kWritesPerCount = 64;

/// Bound to the key, so that a file under another entry's name is noticed.
Hash128 checksumOf(const std::string &key, std::string_view payload) {
  return KeyHasher().add(key).add(payload).finish();
}

std::string encode(const std::string &key, std::string_view payload) {
  Hash128 checksum = checksumOf(key, payload);
  ByteWriter header;
  header.number(kVersion);
  header.number(checksum.high);
  header.number(checksum.low);
  return fmt::format("{}{}{}", kMagic, header.take(), payload);
}

/// Cuts the header off `bytes`; why it is broken, or null.
const char *decode(const std::string &key, std::string &bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic))
    return "it is no cache entry";
  ByteReader header(std::string_view(bytes).substr(kMagic.size()));
  if (header.number<uint32_t>() != kVersion)
    return "it is of another version";
  Hash128 stored;
  stored.high = header.number<uint64_t>();
  stored.low = header.number<uint64_t>();
  if (checksumOf(key, std::string_view(bytes).substr(kHeaderBytes)) != stored)
    return "its checksum does not match";
  bytes.erase(0, kHeaderBytes);
  return nullptr;
}

/// Creates `path` and its parents, private to the user.
Status makeFolders(const std::string &path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
      return errnoStatus("cannot create the folder", part);
    if (slash == std::string::npos)
      return Status();
  }
}

/// Who else could put code there that this process then runs?
Status checkPrivate(int folder, const std::string &path) {
  struct stat facts;
  if (::fstat(folder, &facts) != 0)
    return errnoStatus("cannot examine", path);
  if (facts.st_uid != ::geteuid())
    return Status(StatusCode::IoError,
                  fmt::format("'{}' belongs to user {}, not to {}", path,
                              facts.st_uid, ::geteuid()));
  if (facts.st_mode & 022)
    return Status(StatusCode::IoError,
                  fmt::format("'{}' can be written by others (mode {:o}): "
                              "chmod 700 it",
                              path, facts.st_mode & 0777));
  return Status();
}

/// Why an open file can't be an entry, or null.
const char *checkFile(int descriptor, int64_t maxBytes) {
  struct stat facts;
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) ||
      facts.st_uid != ::geteuid())
    return "it is not a file of this user";
  // Read whole, a file that something blew up would take all memory.
  if (facts.st_size > maxBytes)
    return "it is larger than the cache may be";
  return nullptr;
}

} // namespace

DiskStore::DiskStore(std::string folder, int64_t maxBytes)
    : path_(std::move(folder)), maxBytes_(maxBytes), unusable_(path_.empty()) {}

DiskStore::Folder DiskStore::openLocked() {
  int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  Status status;
  int descriptor = ::open(path_.c_str(), flags);
  if (descriptor < 0 && errno == ENOENT) {
    status = makeFolders(path_);
    descriptor = status.ok() ? ::open(path_.c_str(), flags) : -1;
  }
  FileDescriptor folder(descriptor);
  if (status.ok() && !folder.valid())
    // ENOTDIR also stands for a symbolic link here.
    status = errnoStatus("cannot open the folder (a symbolic link is not "
                         "followed)",
                         path_);
  if (status.ok())
    status = checkPrivate(folder.get(), path_);
  if (status.ok())
    return std::make_shared<const FileDescriptor>(std::move(folder));
  unusable_ = true;
  warn(
      fmt::format("compiled kernels are cached in memory only: {}. Set "
                  "MAMBA_CACHE_DIR to a folder of your own, or MAMBA_CACHE=off",
                  status.message()));
  return nullptr;
}

DiskStore::Folder DiskStore::folder() {
  std::lock_guard lock(mutex_);
  if (!unusable_ && !folder_)
    folder_ = openLocked();
  return folder_;
}

std::optional<std::string> DiskStore::read(const std::string &key) {
  Folder directory = folder();
  if (!directory)
    return std::nullopt;
  std::string name = fmt::format("{}{}", key, kSuffix);
  FileDescriptor file(::openat(directory->get(), name.c_str(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) {
    if (errno == ELOOP)
      discard(directory, name, "it is a symbolic link");
    return std::nullopt;
  }
  if (const char *reason = checkFile(file.get(), maxBytes_)) {
    discard(directory, name, reason);
    return std::nullopt;
  }
  Result<std::string> bytes = readDescriptor(file.get(), name);
  if (!bytes.ok())
    return std::nullopt;
  if (const char *reason = decode(key, *bytes)) {
    discard(directory, name, reason);
    return std::nullopt;
  }
  // The time of last use, which eviction goes by.
  (void)::futimens(file.get(), nullptr);
  return std::move(*bytes);
}

void DiskStore::discard(const Folder &folder, const std::string &name,
                        std::string_view reason) {
  warn(fmt::format("cache entry '{}/{}' is removed: {}", path_, name, reason));
  ::unlinkat(folder->get(), name.c_str(), 0);
}

void DiskStore::write(const std::string &key, std::string_view bytes) {
  if (static_cast<int64_t>(bytes.size() + kHeaderBytes) > maxBytes_)
    return;
  std::string encoded = encode(key, bytes);
  Status status = store(fmt::format("{}{}", key, kSuffix), encoded);
  // The folder may have been removed since it was opened.
  if (status.code() == StatusCode::NotFound) {
    {
      std::lock_guard lock(mutex_);
      folder_ = nullptr;
    }
    status = store(fmt::format("{}{}", key, kSuffix), encoded);
  }
  if (status.ok())
    return;
  std::lock_guard lock(mutex_);
  if (!readOnly_)
    warn(fmt::format("newly compiled kernels are cached in memory only: {} in "
                     "'{}'",
                     status.message(), path_));
  readOnly_ = true;
}

Status DiskStore::store(const std::string &name, std::string_view bytes) {
  Folder directory = folder();
  if (!directory)
    return Status();
  {
    std::lock_guard lock(mutex_);
    if (readOnly_)
      return Status();
  }
  MAMBA_RETURN_IF_ERROR(replaceFile(directory->get(), name, bytes, 0600));
  account(directory, static_cast<int64_t>(bytes.size()));
  return Status();
}

void DiskStore::account(const Folder &folder, int64_t bytes) {
  std::lock_guard lock(mutex_);
  storedBytes_ += bytes;
  if (writesToCount_-- > 0 && storedBytes_ <= maxBytes_)
    return;
  writesToCount_ = kWritesPerCount;
  storedBytes_ = evict(folder->get(), maxBytes_);
}

void DiskStore::remove(const std::string &key) {
  if (Folder directory = folder())
    ::unlinkat(directory->get(), fmt::format("{}{}", key, kSuffix).c_str(), 0);
}

} // namespace mamba
