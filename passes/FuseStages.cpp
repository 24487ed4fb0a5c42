//===- FuseStages.cpp - The split of a function into kernels --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/FuseStages.h"

#include "passes/FuseModel.h"
#include "passes/Product.h"

#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;
using namespace mlir::ssm;

namespace {

/// What the rules of a fused body ask about a value within its stage. It is
/// Dependence's knowledge, on tensors and before a body exists.
struct Placement {
  /// Depends on no scan: runs in any stage.
  bool isFree = true;
  unsigned stage = 0;
  /// Loops over n that end before the value is known.
  unsigned level = 0;
  /// The lowest level of the per-state recurrences that it is made of, if there
  /// are any that a later loop over n does not run again.
  std::optional<unsigned> statesLevel;
  /// The same of those that one does, by direction.
  std::optional<unsigned> repeatsLevel[2];
  bool afterLast = false;
  /// Parts of it come from all over the kernel, so later stages alone read it.
  /// (Its rounding to the type of a result is a part of the sum.)
  bool isTotal = false;

  /// The value is made of states, but has none of its own.
  void forgetStates() {
    statesLevel.reset();
    for (std::optional<unsigned> &level : repeatsLevel)
      level.reset();
  }
};

/// Which scans some op computes one value of each point from: the states of one
/// then are needed where those of the other are known.
class ScanMixes {
public:
  ScanMixes(ArrayRef<Operation *> ops, const FuseAxes &axes);
  bool areMixed(ScanOp scan, ScanOp other) const {
    return mixed.contains({firstLike(scan), firstLike(other)});
  }

private:
  using ScanSet = llvm::SetVector<Operation *>;
  /// The first of the scans that differ in `exclusive` alone.
  static Operation *firstLike(ScanOp scan);
  DenseMap<Value, ScanSet> made;
  DenseSet<std::pair<Operation *, Operation *>> mixed;
};

/// The scans of one stage, forward ones first.
struct StageScans {
  SmallVector<Operation *, 2> byDirection[2];
  /// None of them reads another one of the stage, or has a last state that is
  /// read.
  bool canReplay[2] = {true, true};
  /// Some loop over n has to run some of them again.
  bool repeats[2] = {false, false};
  /// Some of them save states, so all run in one direction.
  bool saves = false;
};

/// Chooses a stage for each op, in program order.
class Placer {
public:
  /// A loop over n that reads scans which can be replayed is taken to run them
  /// again, as it does if they are; not in the stages `withoutRepeats`.
  Placer(const FuseAxes &axes, const ScanMixes &mixes,
         const DenseSet<unsigned> &withoutRepeats)
      : axes(axes), mixes(mixes), withoutRepeats(withoutRepeats) {}

  void place(Operation *op);
  /// The stages in which some loop has to run scans again that are not
  /// replayed.
  SmallVector<unsigned> stagesThatCannotRepeat() const;
  const Placement &of(Value value) const { return placements.at(value); }
  const Placement *find(Value value) const {
    auto it = placements.find(value);
    return it == placements.end() ? nullptr : &it->second;
  }
  unsigned numStages() const { return last + 1; }

private:
  Placement joinOperands(Operation *op, unsigned stage);
  bool fits(Operation *op, const Placement &placement) const;
  bool canReplay(ScanOp scan, unsigned stage) const;
  bool joins(ScanOp scan, const StageScans &stage, bool canReplay) const;
  void record(Operation *op, Placement placement);
  void recordScan(ScanOp scan, Placement placement);

  const FuseAxes &axes;
  const ScanMixes &mixes;
  const DenseSet<unsigned> &withoutRepeats;
  DenseMap<Value, Placement> placements;
  DenseMap<unsigned, StageScans> scans;
  unsigned last = 0;
};

} // namespace

Operation *ScanMixes::firstLike(ScanOp scan) {
  Operation *first = scan;
  for (Operation *user : scan.getA().getUsers()) {
    auto other = dyn_cast<ScanOp>(user);
    if (other && other->getOperands() == scan->getOperands() &&
        other.getReverse() == scan.getReverse() &&
        other->getBlock() == first->getBlock() && other->isBeforeInBlock(first))
      first = other;
  }
  return first;
}

ScanMixes::ScanMixes(ArrayRef<Operation *> ops, const FuseAxes &axes) {
  for (Operation *op : ops) {
    ScanSet joined;
    if (auto scan = dyn_cast<ScanOp>(op)) {
      made[scan.getStates()].insert(firstLike(scan));
      continue;
    }
    forEachRead(op, [&](OpOperand &use) {
      auto it = made.find(stripCasts(use.get()));
      if (it != made.end())
        joined.insert(it->second.begin(), it->second.end());
    });
    for (Operation *one : joined)
      for (Operation *other : joined)
        mixed.insert({one, other});
    if (axes.summedBy(op) == AxisSet())
      for (Value result : op->getResults())
        made[result] = joined;
  }
}

/// The scans of a stage, if `scan` is one of them, run in one direction, or
/// those of one can be replayed. That takes their exponentials twice, so the
/// other ones must read their states, which memory had to hold otherwise.
bool Placer::joins(ScanOp scan, const StageScans &stage, bool canReplay) const {
  bool reverse = scan.getReverse();
  const SmallVector<Operation *, 2> &others = stage.byDirection[!reverse];
  if (others.empty())
    return true;
  if (scan.getSaved() || stage.saves)
    return false;
  bool isMixed = llvm::any_of(others, [&](Operation *other) {
    return mixes.areMixed(scan, cast<ScanOp>(other));
  });
  return isMixed &&
         ((canReplay && stage.canReplay[reverse]) || stage.canReplay[!reverse]);
}

static void lower(std::optional<unsigned> &level,
                  std::optional<unsigned> other) {
  if (other)
    level = std::min(level.value_or(*other), *other);
}

/// What `op` would be if it ran in `stage`; at least in its operands' stage.
Placement Placer::joinOperands(Operation *op, unsigned stage) {
  Placement joined;
  joined.stage = stage;
  forEachRead(op, [&](OpOperand &use) {
    const Placement *operand = find(stripCasts(use.get()));
    if (!operand || operand->isFree)
      return;
    joined.isFree = false;
    bool isLater = operand->isTotal && !roundedValue(op);
    joined.stage = std::max(joined.stage, operand->stage + isLater);
  });
  forEachRead(op, [&](OpOperand &use) {
    const Placement *operand = find(stripCasts(use.get()));
    // A value of an earlier stage comes from memory: nothing to respect.
    if (!operand || (!operand->isFree && operand->stage != joined.stage))
      return;
    joined.level = std::max(joined.level, operand->level);
    joined.afterLast |= operand->afterLast;
    lower(joined.statesLevel, operand->statesLevel);
    for (bool reverse : {false, true})
      lower(joined.repeatsLevel[reverse], operand->repeatsLevel[reverse]);
  });
  return joined;
}

/// Reads no scan of the stage, and nothing reads its last state.
bool Placer::canReplay(ScanOp scan, unsigned stage) const {
  bool isAlone = scan.getLast().use_empty();
  forEachRead(scan, [&](OpOperand &use) {
    const Placement *operand = find(stripCasts(use.get()));
    isAlone &= !operand || operand->isFree || operand->stage != stage;
  });
  return isAlone;
}

/// The rules C8, C9 and C10 of a fused body.
bool Placer::fits(Operation *op, const Placement &placement) const {
  auto scan = dyn_cast<ScanOp>(op);
  bool hasLength = llvm::any_of(op->getResults(), [&](Value result) {
    return isa<RankedTensorType>(result.getType()) &&
           axes.of(result).has(Axis::Length);
  });
  if (placement.afterLast && (scan || hasLength))
    return false;
  if (placement.statesLevel && *placement.statesLevel < placement.level)
    return false;
  if (!scan)
    return true;
  auto stage = scans.find(placement.stage);
  return stage == scans.end() ||
         joins(scan, stage->second, canReplay(scan, placement.stage));
}

void Placer::record(Operation *op, Placement placement) {
  if (!placement.isFree)
    last = std::max(last, placement.stage);
  for (bool reverse : {false, true})
    if (placement.repeatsLevel[reverse].value_or(placement.level) <
        placement.level)
      scans[placement.stage].repeats[reverse] = true;
  if (auto scan = dyn_cast<ScanOp>(op))
    return recordScan(scan, placement);
  if (axes.summedBy(op).has(Axis::State)) {
    ++placement.level;
    placement.forgetStates();
  }
  const Placement *rounded = find(roundedValue(op));
  placement.isTotal = axes.isTotal(op) || (rounded && rounded->isTotal);
  placement.isFree &= !placement.isTotal;
  for (Value result : op->getResults())
    placements[result] = placement;
}

void Placer::recordScan(ScanOp scan, Placement placement) {
  placement.isFree = false;
  last = std::max(last, placement.stage);
  bool reverse = scan.getReverse(), isAlone = canReplay(scan, placement.stage);
  StageScans &stage = scans[placement.stage];
  stage.byDirection[reverse].push_back(scan);
  stage.canReplay[reverse] &= isAlone;
  stage.saves |= scan.getSaved() != nullptr;
  Placement lastState = placement, states = placement;
  lastState.afterLast = true;
  lastState.forgetStates();
  bool mayRepeat = isAlone && !withoutRepeats.contains(placement.stage);
  if (axes.of(scan.getStates()).has(Axis::State))
    (mayRepeat ? states.repeatsLevel[reverse] : states.statesLevel) =
        placement.level;
  placements[scan.getStates()] = states;
  placements[scan.getLast()] = lastState;
  if (scan.getSaved())
    placements[scan.getSaved()] = states;
}

/// Scans of one direction are replayed for sure where the others cannot be.
SmallVector<unsigned> Placer::stagesThatCannotRepeat() const {
  SmallVector<unsigned> found;
  for (const auto &[number, stage] : scans) {
    auto isReplayed = [&](bool reverse) {
      return stage.canReplay[reverse] && !stage.canReplay[!reverse] &&
             !stage.byDirection[!reverse].empty();
    };
    for (bool reverse : {false, true})
      if (stage.repeats[reverse] && !isReplayed(reverse))
        found.push_back(number);
  }
  return found;
}

void Placer::place(Operation *op) {
  Placement placement = joinOperands(op, 0);
  bool isOrdered = isa<ScanOp>(op) || !placement.isFree;
  while (isOrdered && !fits(op, placement))
    placement = joinOperands(op, placement.stage + 1);
  record(op, placement);
}

//===----------------------------------------------------------------------===//
// What stages read and write
//===----------------------------------------------------------------------===//

namespace {

/// Fills stages from the last to the first, so that each knows what later
/// ones read of it.
class StageFiller {
public:
  StageFiller(ArrayRef<Operation *> ops, const FuseAxes &axes,
              const Placer &placer)
      : ops(ops), axes(axes), placer(placer), stages(placer.numStages()),
        read(placer.numStages()) {}

  SmallVector<Stage> run(func::FuncOp function);

private:
  /// The stage that stores `value`; none for arguments.
  std::optional<unsigned> storedIn(Value value) const {
    const Placement *placement = placer.find(value);
    return placement ? std::optional(placement->stage) : std::nullopt;
  }
  void addResults(func::FuncOp function);
  void addTemporaries(unsigned number);
  bool isStored(Value value) const;
  double bytesToStore(Value value) const;
  bool isCheaperAgain(Value value) const;
  void addOps(unsigned number);
  void use(OpOperand &operand, unsigned number, DenseSet<Value> &wanted);

  ArrayRef<Operation *> ops;
  const FuseAxes &axes;
  const Placer &placer;
  SmallVector<Stage> stages;
  /// For each stage, its values that later stages read.
  SmallVector<llvm::SetVector<Value>> read;
};

} // namespace

void StageFiller::addResults(func::FuncOp function) {
  Operation *terminator = function.getBody().front().getTerminator();
  for (OpOperand &operand : terminator->getOpOperands()) {
    Value value = stripCasts(operand.get());
    bool isComputed = placer.find(value);
    bool isSplat =
        isComputed && value.getDefiningOp()->hasTrait<OpTrait::ConstantLike>();
    AccessAttr access =
        isComputed && !isSplat ? axes.of(value) : axes.of(operand);
    stages[storedIn(value).value_or(0)].outputs.push_back(
        {value, operand.get().getType(), access, &operand});
  }
}

/// A value that is a result already is read from there.
void StageFiller::addTemporaries(unsigned number) {
  Stage &stage = stages[number];
  for (Value value : read[number])
    if (llvm::none_of(stage.outputs, [&](const StageOutput &output) {
          return output.value == value;
        }))
      stage.outputs.push_back({value, value.getType(), axes.of(value)});
}

bool StageFiller::isStored(Value value) const {
  unsigned stage = placer.of(value).stage;
  return read[stage].contains(value) ||
         llvm::any_of(stages[stage].outputs, [&](const StageOutput &output) {
           return output.value == value;
         });
}

/// What memory must hold, more than now, for later stages to have `value`.
double StageFiller::bytesToStore(Value value) const {
  const Placement *placement = placer.find(value);
  if (!placement || placement->isFree || isStored(value))
    return 0;
  AxisSet set;
  for (Axis axis : axes.of(value).getAxes())
    set.insert(axis);
  Type element = getElementTypeOrSelf(value);
  if (!isa<FloatType>(realTypeOf(element)))
    return INFINITY;
  unsigned bits = realTypeOf(element).getIntOrFloatBitWidth();
  return pointsOf(set) * bits * (isa<ComplexType>(element) ? 2 : 1) / 8;
}

/// Whether a later stage does better to compute `value` again from its
/// operands than to read it: broadcasts, and values that memory cannot hold.
bool StageFiller::isCheaperAgain(Value value) const {
  Operation *op = value.getDefiningOp();
  if (isa<ScanOp>(op) || axes.summedBy(op) != AxisSet() ||
      placer.of(value).isTotal || isStored(value))
    return false;
  if (!isa<FloatType>(realTypeOf(getElementTypeOrSelf(value))))
    return true;
  double bytes = 0;
  forEachRead(op, [&](OpOperand &use) {
    bytes += bytesToStore(stripCasts(use.get()));
  });
  return bytes < bytesToStore(value);
}

/// `number` needs the value of `operand`: computed there, or read.
void StageFiller::use(OpOperand &operand, unsigned number,
                      DenseSet<Value> &wanted) {
  Value value = stripCasts(operand.get());
  const Placement *placement = placer.find(value);
  if (!placement) {
    stages[number].inputs.insert({value, axes.of(operand)});
  } else if (wanted.contains(value) || placement->isFree ||
             placement->stage == number || isCheaperAgain(value)) {
    wanted.insert(value);
  } else {
    stages[number].inputs.insert({value, axes.of(value)});
    read[placement->stage].insert(value);
  }
}

void StageFiller::addOps(unsigned number) {
  Stage &stage = stages[number];
  DenseSet<Value> wanted;
  for (StageOutput &output : stage.outputs)
    if (placer.find(output.value))
      wanted.insert(output.value);
    else
      stage.inputs.insert({output.value, output.access});
  for (Operation *op : llvm::reverse(ops)) {
    if (llvm::none_of(op->getResults(),
                      [&](Value result) { return wanted.contains(result); }))
      continue;
    stage.ops.push_back(op);
    forEachRead(op, [&](OpOperand &operand) { use(operand, number, wanted); });
  }
  std::reverse(stage.ops.begin(), stage.ops.end());
}

/// Arguments in their order, then temporaries.
static void sortInputs(Stage &stage) {
  auto position = [](const StageInput &input) {
    auto argument = dyn_cast<BlockArgument>(input.first);
    return argument ? argument.getArgNumber() : ~0u;
  };
  SmallVector<std::pair<unsigned, size_t>> order;
  for (auto [i, input] : llvm::enumerate(stage.inputs))
    order.push_back({position(input), i});
  llvm::sort(order);
  llvm::SetVector<StageInput> sorted;
  for (auto [_, i] : order)
    sorted.insert(stage.inputs[i]);
  stage.inputs = std::move(sorted);
}

SmallVector<Stage> StageFiller::run(func::FuncOp function) {
  addResults(function);
  for (unsigned number = stages.size(); number-- > 0;) {
    addTemporaries(number);
    addOps(number);
    sortInputs(stages[number]);
  }
  return std::move(stages);
}

SmallVector<Stage> mlir::ssm::planStages(func::FuncOp function,
                                         ArrayRef<Operation *> ops,
                                         const FuseAxes &axes) {
  ScanMixes mixes(ops, axes);
  DenseSet<unsigned> withoutRepeats;
  while (true) {
    Placer placer(axes, mixes, withoutRepeats);
    for (Operation *op : ops)
      placer.place(op);
    SmallVector<unsigned> wrong = placer.stagesThatCannotRepeat();
    if (wrong.empty())
      return StageFiller(ops, axes, placer).run(function);
    withoutRepeats.insert(wrong.begin(), wrong.end());
  }
}
