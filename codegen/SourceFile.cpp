//===- SourceFile.cpp - Reading MLIR that anyone may have written ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/SourceFile.h"

#include "codegen/Bytecode.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// Counts the levels that the parser would be in.
class NestingScanner {
public:
  explicit NestingScanner(StringRef source) : source(source) {}

  /// Where it gets too deep, if it does.
  std::optional<size_t> run() {
    for (; at < source.size(); ++at) {
      if (!skipText())
        count(source[at]);
      if (depth + minuses > kMaxNesting)
        return at;
    }
    return std::nullopt;
  }

private:
  /// Steps to the last character of a comment, a string or an arrow that
  /// starts here. False where there is none.
  bool skipText() {
    StringRef rest = source.substr(at);
    if (rest.starts_with("//")) {
      at += std::min(rest.find('\n'), rest.size() - 1);
      return true;
    }
    // Arrows and comparisons are no brackets.
    if (rest.starts_with("->") || rest.starts_with(">=") ||
        rest.starts_with("<=")) {
      ++at;
      return true;
    }
    if (rest.front() != '"')
      return false;
    // A string ends with its line at the latest, as it does for the parser.
    for (++at; at < source.size() && source[at] != '"' && source[at] != '\n';
         ++at)
      at += source[at] == '\\';
    return true;
  }

  void count(char c) {
    // Each minus sign before a number or a name is a level of its own.
    if (c == '-')
      ++minuses;
    else if (!isspace(static_cast<unsigned char>(c)))
      minuses = 0;
    if (StringRef("([{<").contains(c))
      ++depth;
    else if (StringRef(")]}>").contains(c) && depth > 0)
      --depth;
  }

  StringRef source;
  size_t at = 0;
  unsigned depth = 0, minuses = 0;
};

} // namespace

static bool isInComment(StringRef source, size_t at) {
  StringRef before = source.take_front(at);
  return before.substr(before.rfind('\n') + 1).contains("//");
}

/// What MLIR's parser (of LLVM 22) uses without looking whether it is there,
/// or whether it is of that kind.
struct Unchecked {
  llvm::Regex key;   ///< What stands in front of it.
  llvm::Regex value; ///< What it has to be.
  const char *why;
};

#define SPACE "([[:space:]]|//[^\n]*\n)*"
#define LIST_OF(item)                                                          \
  "^" SPACE "\\[" SPACE "(" item "(" SPACE "," SPACE item ")*)?" SPACE "\\]"

static ArrayRef<Unchecked> uncheckedLists() {
  static const Unchecked lists[] = {
      // Of linalg.broadcast, reduce and transpose.
      {llvm::Regex("\\)" SPACE "(dimensions|permutation)" SPACE "="),
       llvm::Regex(LIST_OF("-?[0-9]{1,18}")),
       "found no list of numbers, expected one such as [0, 1]"},
      // Of linalg.generic; the other ones are those of the generic form.
      {llvm::Regex("iterator_types\"?" SPACE "="),
       llvm::Regex(LIST_OF("(\"[^\"\n]*\"|#[a-z]+\\.iterator_type<[a-z]+>)")),
       "found no list of strings, expected one such as [\"parallel\"]"}};
  return lists;
}

#undef LIST_OF
#undef SPACE

/// Where there is something else, if there is.
static std::optional<size_t> findOther(StringRef source,
                                       const Unchecked &unchecked) {
  SmallVector<StringRef> found;
  for (StringRef rest = source; unchecked.key.match(rest, &found);) {
    rest = rest.substr(found[0].end() - rest.begin());
    size_t at = rest.begin() - source.begin();
    // No more than the list, since texts are long and have many of them.
    StringRef list = rest.take_front(rest.find(']') + 1);
    if (!unchecked.value.match(list) && !isInComment(source, at))
      return at;
  }
  return std::nullopt;
}

/// "line:column" of the character number `at`.
static std::string positionOf(StringRef source, size_t at) {
  StringRef before = source.take_front(at);
  size_t line = before.count('\n') + 1;
  size_t column = at - (before.rfind('\n') + 1) + 1;
  return std::to_string(line) + ":" + std::to_string(column);
}

std::optional<Unreadable> mlir::ssm::findUnreadable(StringRef source) {
  if (std::optional<size_t> at = NestingScanner(source).run())
    return Unreadable{positionOf(source, *at),
                      "brackets nest deeper than " +
                          std::to_string(kMaxNesting) +
                          " levels, the limit of this tool"};
  for (const Unchecked &unchecked : uncheckedLists())
    if (std::optional<size_t> at = findOther(source, unchecked))
      return Unreadable{positionOf(source, *at), unchecked.why};
  return std::nullopt;
}

std::optional<std::string> mlir::ssm::findExcess(size_t bytes) {
  if (bytes <= kMaxSourceBytes)
    return std::nullopt;
  return "found " + std::to_string(bytes) +
         " bytes, required of a module are at most " +
         std::to_string(kMaxSourceBytes);
}

/// Opens a file that is not too large. Opening reads all of it, so its size is
/// asked for before; standard input has none.
static std::unique_ptr<llvm::MemoryBuffer> openBounded(StringRef path,
                                                       std::string &error) {
  uint64_t bytes = 0;
  if (path != "-")
    (void)llvm::sys::fs::file_size(path, bytes);
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  if (bytes <= kMaxSourceBytes && !(buffer = openInputFile(path, &error)))
    return nullptr;
  std::optional<std::string> excess =
      findExcess(buffer ? buffer->getBufferSize() : bytes);
  if (!excess)
    return buffer;
  error = path.str() + ": error: " + *excess;
  return nullptr;
}

std::unique_ptr<llvm::MemoryBuffer> mlir::ssm::openSource(StringRef path,
                                                          std::string &error) {
  std::unique_ptr<llvm::MemoryBuffer> buffer = openBounded(path, error);
  if (!buffer)
    return nullptr;
  if (isBytecodeText(buffer->getBuffer())) {
    mamba::Result<std::string> text = textOfBytecode(buffer->getBuffer(), path);
    if (!text.ok()) {
      error = "error: " + text.status().message();
      return nullptr;
    }
    buffer = llvm::MemoryBuffer::getMemBufferCopy(*text, path);
  }
  std::optional<Unreadable> found = findUnreadable(buffer->getBuffer());
  if (!found)
    return buffer;
  error = path.str() + ":" + found->place + ": error: " + found->why;
  return nullptr;
}
