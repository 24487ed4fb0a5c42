//===- Report.h - What a run of the suite found -----------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For people a line a failure and counts; for bench/results and the counting of
// tests a JSON file with every case.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_E2E_NUMERICS_REPORT_H
#define MAMBA_TEST_E2E_NUMERICS_REPORT_H

#include "runtime/Device.h"
#include "test/e2e/numerics/Workers.h"

#include <array>

namespace mamba::numerics {

class Report {
public:
  /// `device` is what the suite ran on.
  Report(std::string device, const std::vector<Case> &cases)
      : device_(std::move(device)), cases_(cases), finished_(cases.size()),
        isFinished_(cases.size()) {}

  void add(size_t index, const Finished &finished);

  int64_t count(Outcome::Kind kind) const {
    return counts_[static_cast<size_t>(kind)];
  }
  /// Cases by kind and body, and what came of them.
  std::string summary() const;
  /// How many cases agree with the other device or road within 2 units in the
  /// last place and how many in every bit, after a list of those that differ
  /// anywhere; empty where nothing was compared.
  std::string differences() const;
  /// The slowest cases and the ones nearest to their bounds.
  std::string extremes() const;
  std::string json(const DeviceInfo &info, double seconds) const;

private:
  std::string device_;
  const std::vector<Case> &cases_;
  std::vector<Finished> finished_;
  std::vector<bool> isFinished_;
  std::array<int64_t, 3> counts_ = {};
};

/// "passed", "failed" or "refused".
std::string_view toString(Outcome::Kind kind);

} // namespace mamba::numerics

#endif // MAMBA_TEST_E2E_NUMERICS_REPORT_H
