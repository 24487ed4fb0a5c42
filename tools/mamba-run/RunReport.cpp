//===- RunReport.cpp - What a run found -----------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Text only.
//
//===----------------------------------------------------------------------===//

#include "tools/mamba-run/RunReport.h"

#include "tools/problem/Json.h"

#include "runtime/DType.h"
#include "runtime/Validate.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

using namespace mamba;

/// Measured on an H100 SXM: a copy's bytes a second, and exponentials a second
/// of its special function units (16 a clock and multiprocessor).
static constexpr double kH100BytesPerSecond = 3.0e12;
static constexpr double kH100ExponentialsPerSecond = 4.1e12;

std::optional<double>
RunReport::floorSeconds(const HostProblem &problem) const {
  if (model.find("H100") == std::string::npos)
    return std::nullopt;
  return std::max(static_cast<double>(problem.bytes()) / kH100BytesPerSecond,
                  problem.exponentials() / kH100ExponentialsPerSecond);
}

//===----------------------------------------------------------------------===//
// Table
//===----------------------------------------------------------------------===//

/// "bf16[8x2048x2048] (b, l, d)", with the strides if they are not row-major.
static std::string describe(const TensorSpec &spec, const TensorView &view) {
  std::string text = fmt::format(
      "{}{} {}", toString(view.dtype),
      fmt::format("[{}]", fmt::join(view.shape, view.shape + view.rank, "x")),
      axesOf(spec));
  if (!view.isContiguous())
    text +=
        fmt::format(" strides ({})",
                    fmt::join(view.strides, view.strides + view.rank, ", "));
  return text;
}

static std::string formatSeconds(double seconds) {
  if (seconds < 1e-3)
    return fmt::format("{:.2f} us", seconds * 1e6);
  if (seconds < 1)
    return fmt::format("{:.3f} ms", seconds * 1e3);
  return fmt::format("{:.3f} s", seconds);
}

static std::string timingLines(const RunReport &report,
                               const HostProblem &problem) {
  const Timing &timing = *report.timing;
  double bytes = static_cast<double>(problem.bytes());
  std::string text =
      fmt::format("  time      {}, median of {} (least {}){}, {:.1f} GB/s\n",
                  formatSeconds(timing.medianSeconds), timing.repeats,
                  formatSeconds(timing.minSeconds),
                  timing.isGraph ? " in a CUDA graph" : "",
                  bytes / timing.medianSeconds * 1e-9);
  if (std::optional<double> floor = report.floorSeconds(problem))
    text +=
        fmt::format("  floor     {}, of which this is {:.0f} %\n",
                    formatSeconds(*floor), *floor / timing.medianSeconds * 100);
  if (timing.launchSeconds > 0)
    text += fmt::format("  call      {} of host time a launch\n",
                        formatSeconds(timing.launchSeconds));
  return text;
}

static std::string verificationLines(const Verification &verification) {
  std::string text;
  for (const ResultCheck &check : verification.results)
    text += fmt::format("  {:<9} relative error {:.2e}, bound {:.2e}: {}\n",
                        check.name, check.error, check.bound,
                        check.passed() ? "ok" : "WRONG");
  if (verification.slices)
    text += fmt::format("  compared  {} slices of the problem\n",
                        verification.slices);
  if (const std::optional<ProblemPart> &part = verification.part)
    text += fmt::format("  compared  the same kernel at b = {}, l = {}, "
                        "d = {}: results sum over channels or sequences\n",
                        part->batch, part->length, part->channels);
  return text;
}

/// What forward saves, and what that leaves to backward.
static std::string savingLine(const RunReport &report,
                              const HostProblem &problem) {
  const TrainingPair &pair = *report.pair;
  auto extent = [&](Axis axis) {
    return problem.extents.find(axis).value_or(1);
  };
  std::string text = "  saved     nothing";
  if (pair.numSaved)
    text =
        fmt::format("  saved     {:.4g} MB: the states {} steps apart",
                    pair.savedBytes(extent(Axis::Batch), extent(Axis::Length),
                                    extent(Axis::Channel)) *
                        1e-6,
                    pair.saveEvery);
  if (problem.info.name != pair.backward.info().name)
    return text + "\n";
  bool isTwice = std::ranges::any_of(report.entries, [](const auto &entry) {
    return entry.first.ends_with("_checkpoints");
  });
  return text + fmt::format("; {:.3g} exponentials{}\n", problem.exponentials(),
                            isTwice ? ", those of states once more" : "");
}

std::string RunReport::table(const HostProblem &problem) const {
  std::string text = fmt::format("@{} on {}{}\n", problem.info.name, device,
                                 model.empty() ? "" : " (" + model + ")");
  std::vector<TensorView> views = problem.views();
  for (size_t i = 0; i < views.size(); ++i) {
    const TensorSpec &spec = problem.info.tensors[i];
    text += fmt::format("  {:<9} {}\n", spec.name, describe(spec, views[i]));
  }
  if (!schedule.empty())
    text += fmt::format("  schedule  {}\n", schedule);
  if (backend)
    text += fmt::format("  back end  {}\n", toString(*backend));
  if (pair)
    text += savingLine(*this, problem);
  for (const auto &[name, entry] : entries)
    if (entry.registers)
      text += fmt::format("  kernel    {}: {} registers, {} bytes spilled, {} "
                          "blocks an SM\n",
                          name, entry.registers, entry.localBytes,
                          entry.blocksPerMultiprocessor);
  if (verification)
    text += verificationLines(*verification);
  if (timing)
    text += timingLines(*this, problem);
  return text;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static std::string tensorsJson(const HostProblem &problem) {
  std::vector<TensorView> views = problem.views();
  std::string text;
  for (size_t i = 0; i < views.size(); ++i)
    text += fmt::format(
        "{}\n    {{\"name\": {}, \"dtype\": {}, \"shape\": [{}], \"strides\": "
        "[{}]}}",
        i ? "," : "", jsonText(problem.info.tensors[i].name),
        jsonText(toString(views[i].dtype)),
        fmt::join(views[i].shape, views[i].shape + views[i].rank, ", "),
        fmt::join(views[i].strides, views[i].strides + views[i].rank, ", "));
  return text;
}

/// Element type and memory order of the first tensor over (b, l, d).
static std::pair<std::string, std::string>
mainTensor(const HostProblem &problem) {
  for (size_t i = 0; i < problem.inputs.size(); ++i) {
    const TensorView &view = problem.inputs[i].view();
    const std::vector<DimSpec> &dims = problem.info.tensors[i].dims;
    if (dims.size() != 3 || dims[1].axis != Axis::Length)
      continue;
    std::vector<int> order = {0, 1, 2};
    std::sort(order.begin(), order.end(), [&](int a, int b) {
      return std::pair(view.strides[a], b) > std::pair(view.strides[b], a);
    });
    std::string letters;
    for (int dim : order)
      letters += letterOf(dims[dim].axis);
    return {std::string(toString(view.dtype)), letters};
  }
  return {"", ""};
}

static std::string timingJson(const RunReport &report,
                              const HostProblem &problem) {
  const Timing &timing = *report.timing;
  double bytes = static_cast<double>(problem.bytes());
  std::string text = fmt::format(
      ",\n  \"median_s\": {}, \"median_us\": {}, \"min_us\": {}, \"repeats\": "
      "{}, \"copies\": {}, \"graph\": {},\n  \"bytes\": {}, \"gb_per_s\": {}",
      jsonNumber(timing.medianSeconds), jsonNumber(timing.medianSeconds * 1e6),
      jsonNumber(timing.minSeconds * 1e6), timing.repeats, timing.sets,
      timing.isGraph, problem.bytes(),
      jsonNumber(bytes / timing.medianSeconds * 1e-9));
  if (timing.launchSeconds > 0)
    text += fmt::format(", \"launch_us\": {}",
                        jsonNumber(timing.launchSeconds * 1e6));
  if (std::optional<double> floor = report.floorSeconds(problem))
    text += fmt::format(", \"floor_us\": {}, \"fraction_of_floor\": {}",
                        jsonNumber(*floor * 1e6),
                        jsonNumber(*floor / timing.medianSeconds));
  return text;
}

static std::string errorsJson(const Verification &verification) {
  std::string text =
      fmt::format(",\n  \"verified\": {}, \"slices\": {},\n  \"errors\": [",
                  verification.passed(), verification.slices);
  for (size_t i = 0; i < verification.results.size(); ++i) {
    const ResultCheck &check = verification.results[i];
    text +=
        fmt::format("{}\n    {{\"name\": {}, \"error\": {}, \"bound\": {}, "
                    "\"passed\": {}}}",
                    i ? "," : "", jsonText(check.name), jsonNumber(check.error),
                    jsonNumber(check.bound), check.passed());
  }
  return text + "\n  ]";
}

std::string RunReport::json(const HostProblem &problem) const {
  auto [dtype, layout] = mainTensor(problem);
  std::string text = fmt::format(
      "{{\n  \"kernel\": {}, \"file\": {},\n  \"device\": {}, \"model\": {}, "
      "\"target\": {}, \"driver\": {},\n  \"schedule\": {},\n  \"backend\": "
      "{}, \"dtype\": {}, "
      "\"layout\": {}, \"extents\": {{{}}},\n  \"tensors\": [{}\n  ]",
      jsonText(problem.info.name), jsonText(file), jsonText(device),
      jsonText(model), jsonText(target), driverVersion, jsonText(schedule),
      jsonText(backend ? toString(*backend) : "none"), jsonText(dtype),
      jsonText(layout), jsonMembers(problem.extents.list()),
      tensorsJson(problem));
  if (timing)
    text += timingJson(*this, problem);
  if (verification)
    text += errorsJson(*verification);
  return text + "\n}\n";
}
