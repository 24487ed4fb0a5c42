//===- LowerToGpu.cpp - Fused ops to GPU kernels --------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Identifier.h"
#include "codegen/Passes.h"
#include "codegen/gpu/BodyEmitter.h"
#include "codegen/gpu/ChunkKernel.h"
#include "codegen/gpu/ScanKernel.h"
#include "codegen/gpu/TotalKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::ssm {
#define GEN_PASS_DEF_LOWERTOGPUPASS
#include "codegen/Passes.h.inc"
} // namespace mlir::ssm

using namespace mlir;
using namespace mlir::ssm;

/// Shared memory of a block that some GPU can give: 227 KB, from sm_90 on. The
/// default schedule keeps to the target's own limit, and the runtime refuses
/// what its device cannot give.
static constexpr int64_t kSharedLimit = 227 * 1024;

/// Steps that are replayed, or summed over channels, are not the lane's own
/// where it has those of other lanes.
static bool maySplitStates(FusedOp op, const BodyAnalysis &body) {
  auto hasBoth = [&](TotalOp total) {
    const Dependence &dependence = body.dependence();
    return dependence.dependsOn(total.getValue(), Axis::State) &&
           dependence.dependsOn(total.getValue(), Axis::Length);
  };
  return !body.replays() &&
         llvm::none_of(op.getBlock()->getOps<TotalOp>(), hasBoth);
}

static LogicalResult verifyBody(FusedOp op, const BodyAnalysis &body,
                                ScheduleAttr schedule) {
  for (Operation &nested : op.getBlock()->without_terminator()) {
    if (isa<RecurrenceOp, SumOp, TotalOp>(nested)) {
      if (realTypeOf(nested.getResult(0).getType()).isF64())
        return nested.emitOpError("computes in f64; the GPU computes in f32, "
                                  "use the cpu or the reference device");
    } else if (failed(verifyEmittable(nested))) {
      return failure();
    }
  }
  for (Value input : op.getInputs())
    if (realTypeOf(cast<RankedTensorType>(input.getType()).getElementType())
            .isF64())
      return op.emitOpError("reads ")
             << input.getType() << "; the GPU computes in f32, use the cpu or "
             << "the reference device";
  if (body.replays() && schedule.getRelay())
    return op.emitOpError("has recurrences in both directions, of which the "
                          "ones of one are replayed tile by tile; found ")
           << schedule << ", expected relay = 0";
  if (schedule.getSplit() && !maySplitStates(op, body))
    return op.emitOpError("has recurrences in both directions, or totals of "
                          "what has n; found ")
           << schedule << ", expected split = 0";
  if (op.stateExtent() % schedule.stateLanes() != 0)
    return op.emitOpError("has ")
           << op.stateExtent() << " states, which " << schedule.getLanes()
           << " lanes cannot share out evenly; use fewer lanes or split = 0";
  if (schedule.getChunks() > 1 && !schedule.getHandoff() && findChained(op))
    return op.emitOpError("has recurrences that read each other, which chunks "
                          "cannot start independently; use chunks = 1 or "
                          "handoff = 1");
  return success();
}

/// The channels of a block lie in one group where D / G is known to be a
/// multiple of the block's channels.
static bool areGroupsUniform(FusedOp op, const LaunchPlan &plan,
                             ScheduleAttr schedule) {
  auto isUniform = [&](Type type, AccessAttr access) {
    int64_t dim = access.dimOf(Axis::Group);
    if (dim < 0)
      return true;
    int64_t groups = cast<RankedTensorType>(type).getDimSize(dim);
    return groups == 1 ||
           plan.channelMultiple() % (groups * schedule.tileChannels()) == 0;
  };
  for (auto [i, input] : llvm::enumerate(op.getInputs()))
    if (!isUniform(input.getType(), op.inputAccess(i)))
      return false;
  for (OpResult result : op->getResults())
    if (!isUniform(result.getType(), op.resultAccess(result.getResultNumber())))
      return false;
  return true;
}

/// The extents of a temporary with one number a sequence, or a sequence and
/// chunk, and channel, and state where `recurrence` has states.
static SmallVector<mamba::DimSpec> stateDims(FusedOp op,
                                             const BodyAnalysis &body,
                                             RecurrenceOp recurrence,
                                             int64_t chunks) {
  SmallVector<mamba::DimSpec> dims = {{mamba::Axis::Batch, mamba::kDynamic}};
  if (chunks > 1)
    dims.push_back({mamba::Axis::Other, chunks});
  dims.push_back({mamba::Axis::Channel, mamba::kDynamic});
  if (body.dependence().dependsOn(recurrence.getState(), Axis::State))
    dims.push_back({mamba::Axis::State, op.stateExtent()});
  return dims;
}

/// Two temporaries a scan: the decay and the carry of each segment that is
/// found before the chunks, and room for what lies before the last chunk.
static SmallVector<ChunkTensors> addChunkTensors(FusedOp op,
                                                 const BodyAnalysis &body,
                                                 ArrayRef<RecurrenceOp> scans,
                                                 ScheduleAttr schedule,
                                                 LaunchPlan &plan) {
  SmallVector<ChunkTensors> tensors;
  for (RecurrenceOp recurrence : scans) {
    SmallVector<mamba::DimSpec> dims =
        stateDims(op, body, recurrence, schedule.carrySegments() + 1);
    mamba::DType dtype = *dtypeOf(recurrence.getA().getType());
    tensors.push_back({plan.addTemporary("chunk_decay", dtype, dims),
                       plan.addTemporary("chunk_carry", dtype, dims)});
  }
  return tensors;
}

/// A temporary a replayed scan: its states at the start of each tile, where
/// those were not saved.
static SmallVector<unsigned> addCheckpoints(FusedOp op,
                                            const BodyAnalysis &body,
                                            ScheduleAttr schedule,
                                            LaunchPlan &plan) {
  SmallVector<unsigned> tensors;
  for (RecurrenceOp recurrence : body.scans()) {
    if (!body.directions().needsCheckpoints(recurrence, schedule.tileSteps()))
      continue;
    SmallVector<mamba::DimSpec> dims = stateDims(op, body, recurrence, 1);
    dims.insert(dims.begin() + 1,
                {mamba::Axis::Length, mamba::kDynamic, schedule.tileSteps()});
    tensors.push_back(plan.addTemporary(
        "checkpoints", *dtypeOf(recurrence.getA().getType()), dims));
  }
  return tensors;
}

static HandoffTensors addHandoffTensors(FusedOp op, const BodyAnalysis &body,
                                        LaunchPlan &plan) {
  // Words of 4 bytes; only their bits matter.
  constexpr mamba::DType kWord = mamba::DType::F32;
  HandoffTensors tensors;
  tensors.ticket = plan.addTemporary("ticket", kWord, {{mamba::Axis::Other, 1}},
                                     /*isZeroed=*/true);
  tensors.progress =
      plan.addTemporary("chunks_done", kWord,
                        {{mamba::Axis::Batch, mamba::kDynamic},
                         {mamba::Axis::Channel, mamba::kDynamic}},
                        /*isZeroed=*/true);
  for (RecurrenceOp recurrence : body.scans())
    tensors.states.push_back(
        plan.addTemporary("chunk_state", *dtypeOf(recurrence.getA().getType()),
                          stateDims(op, body, recurrence, 1)));
  return tensors;
}

namespace {

/// The kernels of one fused op, in the order of their launches.
class FusedLowering {
public:
  FusedLowering(FusedOp op, LaunchPlan &plan, gpu::GPUModuleOp module,
                std::string name, ScheduleAttr schedule)
      : op(op), plan(plan), module(module), name(std::move(name)),
        schedule(schedule), areUniform(areGroupsUniform(op, plan, schedule)),
        body(op, areUniform), e(op.getLoc(), op.getContext()),
        isChunked(schedule.getChunks() > 1 && !body.scans().empty()) {}

  LogicalResult run();

private:
  /// Chunks start independently.
  bool isSplit() const { return isChunked && !schedule.getHandoff(); }
  void build(const Twine &suffix, KernelPart part,
             ScanKernel::Temporaries temporaries);
  SmallVector<ChunkTensors>
  startChunks(const Twine &suffix, KernelPart part,
              function_ref<bool(RecurrenceOp)> isStarted);
  SmallVector<unsigned> buildCheckpoints();
  void buildMain();
  LogicalResult verifyShared();

  FusedOp op;
  LaunchPlan &plan;
  gpu::GPUModuleOp module;
  std::string name;
  ScheduleAttr schedule;
  bool areUniform;
  BodyAnalysis body;
  Emit e;
  bool isChunked; ///< Blocks share a sequence.
  SmallVector<PartialSums> totals;
};

struct LowerToGpu : ssm::impl::LowerToGpuPassBase<LowerToGpu> {
  void runOnOperation() override;
};

} // namespace

void FusedLowering::build(const Twine &suffix, KernelPart part,
                          ScanKernel::Temporaries temporaries) {
  if (!isAhead(part))
    temporaries.totals = distinctSums(totals);
  ScanKernel(e, module, (name + suffix).str(), plan, body, schedule, part,
             temporaries)
      .build();
}

/// What lies before each chunk of some scans, in two launches: the segments
/// that chunks are, and what they join to.
SmallVector<ChunkTensors>
FusedLowering::startChunks(const Twine &suffix, KernelPart part,
                           function_ref<bool(RecurrenceOp)> isStarted) {
  SmallVector<RecurrenceOp> scans =
      llvm::filter_to_vector(body.scans(), isStarted);
  SmallVector<ChunkTensors> chunks =
      addChunkTensors(op, body, scans, schedule, plan);
  build(suffix + "_carries", part, {chunks, {}, {}, {}});
  for (auto [i, scan] : llvm::enumerate(scans)) {
    Value state = RecurrenceOp(scan).getState();
    bool perState = body.dependence().dependsOn(state, Axis::State);
    buildChunkKernel(e, module, (name + suffix + "_chunks" + Twine(i)).str(),
                     plan, chunks[i],
                     {schedule.carrySegments(), schedule.getCarryParts(),
                      perState ? op.stateExtent() : 1,
                      isa<ComplexType>(state.getType())});
  }
  return chunks;
}

/// The states that recurrences are replayed from, where those were not saved.
SmallVector<unsigned> FusedLowering::buildCheckpoints() {
  SmallVector<unsigned> checkpoints = addCheckpoints(op, body, schedule, plan);
  if (checkpoints.empty())
    return checkpoints;
  SmallVector<ChunkTensors> chunks;
  if (isSplit())
    chunks = startChunks(
        "_replay", KernelPart::ReplayCarries, [&](RecurrenceOp scan) {
          return body.directions().needsCheckpoints(scan, schedule.tileSteps());
        });
  build("_checkpoints", KernelPart::Checkpoints, {chunks, {}, checkpoints, {}});
  return checkpoints;
}

void FusedLowering::buildMain() {
  SmallVector<unsigned> checkpoints = buildCheckpoints();
  if (!isChunked)
    return build("", KernelPart::Whole, {{}, {}, checkpoints, {}});
  if (!isSplit())
    return build("", KernelPart::Handoff,
                 {{}, addHandoffTensors(op, body, plan), checkpoints, {}});
  SmallVector<ChunkTensors> chunks =
      startChunks("", KernelPart::ChunkCarries,
                  [&](RecurrenceOp scan) { return !body.isReplayed(scan); });
  build("", KernelPart::ChunkMain, {chunks, {}, checkpoints, {}});
}

LogicalResult FusedLowering::verifyShared() {
  for (auto kernel : module.getOps<gpu::GPUFuncOp>()) {
    auto launch = kernel->getAttrOfType<DictionaryAttr>(kLaunchAttrName);
    int64_t shared = launch.getAs<IntegerAttr>("shared").getInt();
    if (shared > kSharedLimit)
      return op.emitOpError("needs ")
             << shared << " bytes of shared memory a block with " << schedule
             << ", more than the " << kSharedLimit
             << " there are; use fewer states, lanes, warps or items";
  }
  return success();
}

LogicalResult FusedLowering::run() {
  if (failed(verifyBody(op, body, schedule)))
    return failure();
  totals = planPartialSums(op, body.dependence(),
                           {areUniform ? schedule.tileChannels() : 0,
                            isChunked ? schedule.getChunks() : 1,
                            schedule.getAtomics() != 0},
                           plan);
  buildMain();
  buildTotalKernel(e, module, name + "_totals", plan, op, totals);
  return verifyShared();
}

static LogicalResult lower(FusedOp op, LaunchPlan &plan,
                           gpu::GPUModuleOp module, const Twine &name) {
  auto schedule = dyn_cast_or_null<ScheduleAttr>(op.getScheduleAttr());
  if (!schedule)
    return op.emitOpError("has no #ssm.schedule; run --ssm-schedule first");
  return FusedLowering(op, plan, module, name.str(), schedule).run();
}

void LowerToGpu::runOnOperation() {
  ModuleOp module = getOperation();
  auto functions = llvm::to_vector(module.getOps<func::FuncOp>());
  if (functions.size() != 1) {
    module.emitError("has ")
        << functions.size() << " functions, expected the one to lower";
    return signalPassFailure();
  }
  func::FuncOp function = functions.front();
  FailureOr<LaunchPlan> plan = LaunchPlan::build(function);
  if (failed(plan))
    return signalPassFailure();
  OpBuilder b(function);
  auto gpuModule = gpu::GPUModuleOp::create(b, function.getLoc(), "kernels");
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                  b.getUnitAttr());
  unsigned number = 0;
  for (FusedOp op : function.getOps<FusedOp>())
    if (failed(lower(
            op, *plan, gpuModule,
            identifier((function.getName() + "_" + Twine(number++)).str()))))
      return signalPassFailure();
  plan->attachTo(module);
  function.erase();
}
