//===- Proposals.cpp - Schedules that a tuner may try ---------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Proposals.h"

#include "codegen/DiagnosticText.h"
#include "passes/Passes.h"
#include "passes/ScheduleSpace.h"
#include "passes/TunedTable.h"

#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;
using namespace mlir::ssm;

/// The texts of those that the verifier does not refuse.
template <typename Fields>
static std::vector<std::string> textsOf(MLIRContext *context,
                                        const std::vector<Fields> &list) {
  std::vector<std::string> texts;
  for (const Fields &fields : list)
    if (Attribute attribute = attributeOf(UnknownLoc::get(context), fields)) {
      llvm::raw_string_ostream stream(texts.emplace_back());
      stream << attribute;
    }
  return texts;
}

//===----------------------------------------------------------------------===//
// Proposals
//===----------------------------------------------------------------------===//

static mamba::Status invalid(const Twine &message) {
  return mamba::Status(mamba::StatusCode::InvalidArgument, message.str());
}

/// The problem of the function's largest kernel.
static Problem largestProblem(ModuleOp fused, const ScheduleRequest &request) {
  Problem assumed, largest;
  assumed.batch = request.batch;
  assumed.length = request.length;
  assumed.channels = request.channels;
  fused.walk([&](FusedOp op) {
    Problem problem = problemOf(op, assumed);
    if (problem.tableNumbers * problem.states >=
        largest.tableNumbers * largest.states)
      largest = problem;
  });
  return largest;
}

/// The model's for the CPU.
static std::vector<std::string>
modelledForCpu(MLIRContext *context, const Problem &problem, int64_t threads) {
  CpuTarget target;
  if (threads > 0)
    target.threads = threads;
  return textsOf<CpuScheduleFields>(context,
                                    {defaultCpuSchedule(problem, target)});
}

static mamba::Result<GpuTarget> gpuOf(const ScheduleRequest &wanted) {
  std::optional<GpuTarget> gpu = findGpuTarget(wanted.machine());
  if (!gpu)
    return invalid("found target '" + wanted.machine() + "', expected cpu, " +
                   knownGpuTargets());
  return *gpu;
}

mamba::Result<std::string>
mlir::ssm::describeProblem(ModuleOp module, const CompileRequest &request) {
  MAMBA_ASSIGN_OR_RETURN(OwningOpRef<ModuleOp> fused, fuseFor(module, request));
  return toString(largestProblem(*fused, request.schedule));
}

mamba::Result<std::vector<std::string>>
mlir::ssm::proposeSchedules(ModuleOp module, const CompileRequest &request,
                            bool usesTable) {
  MAMBA_ASSIGN_OR_RETURN(OwningOpRef<ModuleOp> fused, fuseFor(module, request));
  MLIRContext *context = module.getContext();
  const ScheduleRequest &wanted = request.schedule;
  DiagnosticText refusals(context);
  Problem problem = largestProblem(*fused, wanted);
  if (wanted.isCpu())
    return modelledForCpu(context, problem, wanted.threads);
  MAMBA_ASSIGN_OR_RETURN(GpuTarget gpu, gpuOf(wanted));
  std::vector<std::string> ranked =
      textsOf(context, rankGpuSchedules(problem, gpu));
  std::optional<std::string_view> row = findTunedSchedule(problem, gpu);
  if (row && usesTable)
    ranked.insert(ranked.begin(), std::string(*row));
  return ranked;
}

mamba::Result<std::vector<std::string>>
mlir::ssm::proposeNeighbours(ModuleOp module, const CompileRequest &request,
                             StringRef from) {
  MAMBA_ASSIGN_OR_RETURN(OwningOpRef<ModuleOp> fused, fuseFor(module, request));
  MLIRContext *context = module.getContext();
  const ScheduleRequest &wanted = request.schedule;
  DiagnosticText refusals(context);
  Attribute start = parseAttribute(from, context);
  Problem problem = largestProblem(*fused, wanted);
  if (auto cpu = dyn_cast_if_present<CpuScheduleAttr>(start);
      cpu && wanted.isCpu())
    return textsOf(context, neighboursOf(fieldsOf(cpu), problem));
  auto gpu = dyn_cast_if_present<ScheduleAttr>(start);
  if (!gpu || wanted.isCpu())
    return invalid("found schedule '" + from + "', expected one for the " +
                   (wanted.isCpu() ? "CPU" : "GPU"));
  MAMBA_ASSIGN_OR_RETURN(GpuTarget target, gpuOf(wanted));
  return textsOf(context, neighboursOf(fieldsOf(gpu), problem, target));
}
