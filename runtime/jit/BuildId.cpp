//===- BuildId.cpp - Which compiler this is -------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Walks the program headers of what is loaded.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/BuildId.h"

#include "runtime/Hash.h"

#include "llvm-c/Core.h"
#include "llvm/Config/llvm-config.h"
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <string_view>

using namespace mamba;

namespace {

struct Search {
  uintptr_t address;
  std::string id;
};

std::string_view segmentBytes(const dl_phdr_info &file,
                              const ElfW(Phdr) & header) {
  return {reinterpret_cast<const char *>(file.dlpi_addr + header.p_vaddr),
          header.p_memsz};
}

bool holds(const dl_phdr_info &file, uintptr_t address) {
  for (int i = 0; i < file.dlpi_phnum; ++i) {
    const ElfW(Phdr) &header = file.dlpi_phdr[i];
    uintptr_t begin = file.dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && address >= begin &&
        address < begin + header.p_memsz)
      return true;
  }
  return false;
}

size_t padded(size_t bytes) { return (bytes + 3) / 4 * 4; }

/// The build id in a segment of notes, in hexadecimal; empty if there is none.
std::string findBuildIdNote(std::string_view notes) {
  ElfW(Nhdr) note;
  while (notes.size() >= sizeof(note)) {
    std::memcpy(&note, notes.data(), sizeof(note));
    notes.remove_prefix(sizeof(note));
    size_t nameBytes = padded(note.n_namesz), idBytes = padded(note.n_descsz);
    if (nameBytes + idBytes > notes.size())
      return "";
    if (note.n_type == NT_GNU_BUILD_ID && notes.starts_with("GNU")) {
      std::string hex;
      for (unsigned char byte : notes.substr(nameBytes, note.n_descsz))
        hex += fmt::format("{:02x}", byte);
      return hex;
    }
    notes.remove_prefix(nameBytes + idBytes);
  }
  return "";
}

std::string hashReadOnlySegments(const dl_phdr_info &file) {
  KeyHasher hasher;
  for (int i = 0; i < file.dlpi_phnum; ++i) {
    const ElfW(Phdr) &header = file.dlpi_phdr[i];
    if (header.p_type == PT_LOAD && !(header.p_flags & PF_W))
      hasher.add(segmentBytes(file, header));
  }
  return hasher.hex();
}

int visit(dl_phdr_info *file, size_t, void *data) {
  auto *search = static_cast<Search *>(data);
  if (!holds(*file, search->address))
    return 0;
  for (int i = 0; i < file->dlpi_phnum && search->id.empty(); ++i)
    if (file->dlpi_phdr[i].p_type == PT_NOTE)
      search->id = findBuildIdNote(segmentBytes(*file, file->dlpi_phdr[i]));
  if (search->id.empty())
    search->id = hashReadOnlySegments(*file);
  return 1;
}

} // namespace

std::string mamba::buildIdOf(const void *address) {
  Search search{reinterpret_cast<uintptr_t>(address), ""};
  dl_iterate_phdr(visit, &search);
  return search.id;
}

const std::string &mamba::compilerBuildId() {
  // Never destroyed: kernels may be compiled while the program ends.
  static const auto *id = new std::string(fmt::format(
      "{} LLVM {} {}",
      buildIdOf(reinterpret_cast<const void *>(&mamba::compilerBuildId)),
      LLVM_VERSION_STRING,
      buildIdOf(reinterpret_cast<const void *>(&LLVMGetVersion))));
  return *id;
}

const std::string &mamba::compilerSourceId() {
  static const std::string id = fmt::format("{} LLVM {}",
#include "runtime/jit/SourceId.inc"
                                            , LLVM_VERSION_STRING);
  return id;
}
