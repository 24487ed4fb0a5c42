//===- Table.cpp - What catches each mutant, for people and tests --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/mutation/Table.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/JSON.h"
#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::mutation;

static constexpr StringLiteral kBegin = "<!-- table -->\n";
static constexpr StringLiteral kEnd = "<!-- end of table -->\n";

static std::string catcherOf(const Row &row) {
  return row.isCaught() ? row.finished.verdict.by : "nothing";
}

std::string mutation::markdown(const std::vector<Row> &rows) {
  std::string text = "| # | mutant | imitates | caught by | case |\n"
                     "| --- | --- | --- | --- | --- |\n";
  for (const Row &row : rows)
    text += fmt::format("| {} | {} | {} | {} | `{}` |\n", row.number,
                        row.mutant->name.str(), row.mutant->imitates.str(),
                        catcherOf(row), row.test);
  return text;
}

/// What lies between the markers, or nothing.
static StringRef tableOf(StringRef text) {
  return text.split(kBegin).second.split(kEnd).first;
}

/// Catchers by mutant, as a table says them.
static llvm::StringMap<std::string> parseTable(StringRef table) {
  llvm::StringMap<std::string> catchers;
  SmallVector<StringRef> lines;
  table.split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef line :
       llvm::drop_begin(lines, std::min<size_t>(2, lines.size()))) {
    SmallVector<StringRef> cells;
    line.split(cells, '|');
    if (cells.size() > 4)
      catchers[cells[2].trim()] = cells[4].trim().str();
  }
  return catchers;
}

std::string mutation::differences(const std::vector<Row> &rows,
                                  StringRef text) {
  llvm::StringMap<std::string> known = parseTable(tableOf(text));
  std::string lines;
  for (const Row &row : rows) {
    auto found = known.find(row.mutant->name);
    if (found == known.end())
      lines += fmt::format("mutant '{}' is not in the table\n",
                           row.mutant->name.str());
    else if (found->second != catcherOf(row))
      lines +=
          fmt::format("mutant '{}' is caught by '{}', and the table says "
                      "'{}'\n",
                      row.mutant->name.str(), catcherOf(row), found->second);
    if (found != known.end())
      known.erase(found);
  }
  for (const auto &entry : known)
    lines += fmt::format("the table has '{}', which is no mutant\n",
                         entry.getKey().str());
  return lines;
}

std::string mutation::replaceTable(StringRef text,
                                   const std::vector<Row> &rows) {
  auto [head, rest] = text.split(kBegin);
  return (head + kBegin + markdown(rows) + kEnd + rest.split(kEnd).second)
      .str();
}

std::string
mutation::json(const std::vector<Row> &rows,
               const std::vector<std::pair<std::string, bool>> &others) {
  llvm::json::Array tests;
  auto add = [&](std::string name, bool passed, double seconds) {
    tests.push_back(
        llvm::json::Object{{"name", std::move(name)},
                           {"outcome", passed ? "passed" : "failed"},
                           {"seconds", seconds}});
  };
  for (const Row &row : rows)
    add("mutation/" + row.mutant->name.str(), row.isCaught(),
        row.finished.seconds);
  for (const auto &[name, passed] : others)
    add("mutation/" + name, passed, 0);
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::formatv("{0:1}\n", llvm::json::Value(std::move(tests)));
  return text;
}
