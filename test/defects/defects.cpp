//===- defects.cpp - Planted defects, on simt and on a GPU ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On simt, all kernels are run and their reports compared with the table. On a
// GPU, one is run, since a fault ends the process's use of the device:
// test/gpu/defects.py runs each under its tool of compute-sanitizer.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/ObjectLinker.h"
#include "test/defects/PlantedKernels.h"
#include "tools/io/File.h"
#include "tools/problem/CommandLine.h"

#include <chrono>
#include <cstdio>
#include <fmt/format.h>

using namespace mamba;
using namespace mamba::test;

namespace {

struct Options {
  std::string device = "simt";
  std::string run;
  std::string ptx;
  std::string report;
  bool list = false;
};

} // namespace

static std::string fileOf(const PlantedKernel &planted) {
  return planted.name + ".mlir";
}

/// What the launch of `planted` gave. Results are not copied back: that they
/// may be unwritten is no concern of initcheck.
static Status launch(const std::shared_ptr<Device> &device,
                     const PlantedKernel &planted) {
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<LoadedKernel> loaded,
                         loadOn(*device, planted.kernel, fileOf(planted)));
  return runOn(device, *loaded, planted.kernel, planted.x(), planted.outputs);
}

/// Whether `report` is the one that the table asks for; the place may be either
/// side of a race.
static bool isExpected(const PlantedKernel &planted, const Status &report) {
  if (planted.kind.empty())
    return report.ok();
  return report.code() == StatusCode::Internal &&
         report.message().starts_with(planted.kind + ": ") &&
         report.message().find(planted.kernel.here(fileOf(planted))) !=
             std::string::npos;
}

static std::string requirementOf(const PlantedKernel &planted) {
  if (planted.kind.empty())
    return "no report";
  return fmt::format("'{}: ...' at {}", planted.kind,
                     planted.kernel.here(fileOf(planted)));
}

/// Runs every kernel on a simt device; true if each was reported as it must be.
static Result<bool> runAll(const std::shared_ptr<Device> &device,
                           const std::string &reportFile) {
  using Clock = std::chrono::steady_clock;
  std::string json;
  size_t failures = 0;
  for (const PlantedKernel &planted : plantedKernels()) {
    auto start = Clock::now();
    Status report = launch(device, planted);
    std::chrono::duration<double> seconds = Clock::now() - start;
    bool passed = isExpected(planted, report);
    failures += !passed;
    print(fmt::format("{}  {}: {}\n", passed ? "passed" : "FAILED",
                      planted.name,
                      report.ok() ? "no report" : report.message()));
    if (!passed)
      print(fmt::format("  required is {}\n", requirementOf(planted)));
    json += fmt::format(
        "{} {{\"name\": \"defects/{} [simt]\", \"outcome\": \"{}\", "
        "\"seconds\": {:.3f}}}",
        json.empty() ? "" : ",\n", planted.name, passed ? "passed" : "failed",
        seconds.count());
  }
  print(fmt::format("{}: {} passed, {} failed\n", device->name(),
                    plantedKernels().size() - failures, failures));
  if (!reportFile.empty())
    MAMBA_RETURN_IF_ERROR(writeFile(reportFile, {"[", json, "]\n"}));
  return failures == 0;
}

static void printList() {
  for (const PlantedKernel &planted : plantedKernels())
    print(fmt::format("{} | {} | {}\n", planted.name, planted.tool,
                      planted.what));
}

static Status printPtx(const std::string &name) {
  MAMBA_ASSIGN_OR_RETURN(const PlantedKernel *planted, findPlanted(name));
  MAMBA_ASSIGN_OR_RETURN(std::string ptx,
                         codeFor("sm_90", planted->kernel, fileOf(*planted)));
  print(ptx);
  return Status();
}

static Result<bool> run(const Options &options) {
  if (options.list) {
    printList();
    return true;
  }
  if (!options.ptx.empty()) {
    MAMBA_RETURN_IF_ERROR(printPtx(options.ptx));
    return true;
  }
  MAMBA_RETURN_IF_ERROR(registerObjectLinker());
  MAMBA_ASSIGN_OR_RETURN(std::shared_ptr<Device> device,
                         Device::open(options.device));
  if (!options.run.empty()) {
    MAMBA_ASSIGN_OR_RETURN(const PlantedKernel *planted,
                           findPlanted(options.run));
    MAMBA_RETURN_IF_ERROR(launch(device, *planted));
    return true;
  }
  if (!device->checksAccesses())
    return Status(StatusCode::InvalidArgument,
                  fmt::format("found device '{}' without --run=NAME; all "
                              "kernels at once run on simt only",
                              options.device));
  return runAll(device, options.report);
}

int main(int argc, char **argv) {
  Options options;
  CommandLine line{
      "e2e-defects",
      "Runs kernels with one planted defect each, and some without.",
      "",
      {{"device", "DEVICE", "simt (default) or cuda:<N>",
        takeText(options.device)},
       {"run", "NAME", "one kernel; fails with what is reported",
        takeText(options.run)},
       {"list", "", "print 'name | tool of compute-sanitizer | what'",
        takeSwitch(options.list)},
       {"ptx", "NAME", "print a kernel's PTX for sm_90", takeText(options.ptx)},
       {"report", "FILE.json", "write every kernel's outcome",
        takeText(options.report)}}};
  return runChecks(line, argc, argv, [&] { return run(options); });
}
