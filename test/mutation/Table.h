//===- Table.h - What catches each mutant, for people and tests -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_MUTATION_TABLE_H
#define MAMBA_TEST_MUTATION_TABLE_H

#include "test/mutation/Pool.h"

namespace mlir::ssm::mutation {

/// A line of the table.
struct Row {
  size_t number = 0;
  const Mutant *mutant = nullptr;
  /// The case that caught it.
  std::string test;
  Finished finished;

  bool isCaught() const {
    return finished.verdict.kind == Verdict::Kind::Caught;
  }
};

/// The rows in Markdown: mutant, what it imitates, what catches it, and where.
std::string markdown(const std::vector<Row> &rows);

/// Compares the rows with the table that `text` has between its markers; each
/// difference in a mutant's name or in what catches it is a line of the result.
std::string differences(const std::vector<Row> &rows, StringRef text);

/// `text` with the rows between its markers.
std::string replaceTable(StringRef text, const std::vector<Row> &rows);

/// Names and outcomes, as test/suite.py reads them; `others` beside the rows.
std::string json(const std::vector<Row> &rows,
                 const std::vector<std::pair<std::string, bool>> &others);

} // namespace mlir::ssm::mutation

#endif // MAMBA_TEST_MUTATION_TABLE_H
