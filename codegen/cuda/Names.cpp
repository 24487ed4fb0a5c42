//===- Names.cpp - Identifiers of a CUDA C++ file -------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Names.h"

#include "codegen/Identifier.h"
#include "codegen/cuda/Prelude.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::ssm::cuda;

/// Words that a kernel's own names must not be: keywords, and what CUDA and its
/// functions without a prefix are called.
static constexpr StringLiteral kReservedWords(
    "alignas alignof and and_eq asm auto bitand bitor blockDim blockIdx "
    "bool break case catch char char8_t char16_t char32_t class co_await "
    "co_return co_yield compl concept const consteval constexpr constinit "
    "continue const_cast decltype default delete do double dynamic_cast "
    "else enum explicit export extern false float for friend goto gridDim "
    "if inline int long main max min mutable namespace new noexcept not "
    "not_eq nullptr operator or or_eq private protected public register "
    "reinterpret_cast requires return short signed sizeof static "
    "static_assert static_cast struct switch template this threadIdx "
    "thread_local throw true try typedef typeid typename union unsigned "
    "using virtual void volatile warpSize wchar_t while xor xor_eq NULL "
    "linux unix i386 restrict typeof typeof_unqual offsetof fmaf fabsf ceilf "
    "floorf truncf roundf rintf copysignf fmaxf "
    "fminf atomicAdd uint2 uint4 ");

static bool isReserved(StringRef name) {
  static const llvm::StringSet<> words = [] {
    SmallVector<StringRef> list;
    StringRef(kReservedWords).split(list, ' ', -1, /*KeepEmpty=*/false);
    llvm::StringSet<> set;
    set.insert(list.begin(), list.end());
    return set;
  }();
  return words.contains(name) || isPreludeName(name);
}

std::string mlir::ssm::cuda::commentText(StringRef text) {
  std::string line;
  for (char c : text)
    line += llvm::isPrint(c) ? c : '?';
  StringRef trimmed = StringRef(line).rtrim();
  // A backslash at its end would continue the comment on the next line.
  return trimmed.ends_with("\\") ? (trimmed + " .").str() : trimmed.str();
}

/// Where to break `text`, which has room for so many characters: after a comma
/// if there is one in the line's second half, else at a space.
static size_t breakAt(StringRef text, size_t room) {
  StringRef line = text.take_front(room);
  size_t comma = line.rfind(", ");
  if (comma != StringRef::npos && comma > room / 2)
    return comma + 1;
  size_t space = line.rfind(' ');
  return space != StringRef::npos && space > 0 ? space : text.find(' ', 1);
}

std::string mlir::ssm::cuda::wrapLine(StringRef text, StringRef margin) {
  constexpr size_t kMaxColumns = 100;
  std::string lines, indent = margin.str();
  while (indent.size() + text.size() > kMaxColumns) {
    size_t at = breakAt(text, kMaxColumns - indent.size());
    if (at == StringRef::npos)
      break;
    lines += indent + text.take_front(at).rtrim().str() + "\n";
    text = text.drop_front(at).ltrim();
    indent = (margin + "    ").str();
  }
  return lines + indent + text.str() + "\n";
}

std::string Names::take(StringRef wanted) {
  std::string name = identifier(wanted);
  if (!isReserved(name) && taken.insert(name).second)
    return name;
  return number(name);
}

std::string Names::number(StringRef base) {
  std::string stem = identifier(base);
  while (true) {
    std::string name =
        stem + (stem.back() == '_' ? "" : "_") + std::to_string(counts[stem]++);
    if (!isReserved(name) && taken.insert(name).second)
      return name;
  }
}
