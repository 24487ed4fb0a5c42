//===- Dependence.h - What a fused body's values depend on ---- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where an op of a fused body runs follows from the axes that its operands
// depend on. This analysis is the one place that knows the rule; the verifier,
// the lowerings and the schedules all ask it.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_DIALECT_DEPENDENCE_H
#define MAMBA_DIALECT_DEPENDENCE_H

#include "dialect/SSMDialect.h"
#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace mlir::ssm {

/// The axis of the iteration space that `axis` runs along: channels for groups,
/// steps for segments.
inline Axis pointAxis(Axis axis) {
  if (axis == Axis::Segment)
    return Axis::Length;
  return axis == Axis::Group ? Axis::Channel : axis;
}

/// Written at steps: at each one, or at the first of each segment.
inline bool hasSteps(AccessAttr result) {
  return result.has(Axis::Length) || result.has(Axis::Segment);
}

/// A set of axes of the iteration space.
class AxisSet {
public:
  AxisSet() = default;
  AxisSet(std::initializer_list<Axis> axes) {
    for (Axis axis : axes)
      insert(axis);
  }
  void insert(Axis axis) { bits |= bit(axis); }
  void erase(Axis axis) { bits &= ~bit(axis); }
  bool has(Axis axis) const { return bits & bit(axis); }
  bool contains(AxisSet other) const { return (other.bits & ~bits) == 0; }
  AxisSet operator|(AxisSet other) const {
    AxisSet set;
    set.bits = bits | other.bits;
    return set;
  }
  bool operator==(const AxisSet &) const = default;

private:
  static unsigned bit(Axis axis) { return 1u << static_cast<unsigned>(axis); }
  unsigned bits = 0;
};

/// What is known of one value of a fused body.
struct ValueInfo {
  /// Axes that the value depends on. A group operand depends on Group; any
  /// mix with a channel operand on both.
  AxisSet axes;
  /// Number of loops over n that end before the value is known: a sum over n
  /// raises it by one. Per-state values of level k are computed in loop k.
  unsigned level = 0;
  /// Computed from a recurrence's last state, so known only after the last
  /// step.
  bool afterLast = false;
  /// A per-state value, computed from the state of a per-state recurrence at
  /// the current step.
  bool hasStates = false;
  /// The lowest level of such a recurrence that is not replayed. The value
  /// exists in that loop over n alone: a later one would have to run the
  /// recurrence again, as it does those that are replayed.
  std::optional<unsigned> statesLevel;
};

/// True where two recurrences differ in `exclusive` alone, so that one scan
/// gives the states of both.
bool isSameScan(RecurrenceOp op, RecurrenceOp other);
/// All recurrences of the body with the scan of `op`, and the first of them.
SmallVector<RecurrenceOp, 2> scannedWith(RecurrenceOp op);
RecurrenceOp scanOf(RecurrenceOp op);

/// True where a recurrence starts from what it uses, and reads it at no step.
bool isOnlyStart(OpOperand &use);

/// True for a product that may be taken apart: reassociated or distributed.
bool isOpenProduct(Operation *op);

/// A recurrence whose next state is a h + a g = a (h + g), where the body has
/// that sum.
struct EnteredState {
  Value entering; ///< g.
  Value sum;      ///< h + g.
};
/// `op` as such a recurrence, if it is one.
std::optional<EnteredState> findEntered(RecurrenceOp op);

/// The input with states that were saved for `op`, if they tell its states at
/// the start of each tile of `tileSteps` steps.
BlockArgument savedStates(RecurrenceOp op, int64_t tileSteps);

/// The first recurrence that reads what another one computes: chunks of a
/// sequence cannot start it independently. Null if there is none.
RecurrenceOp findChained(FusedOp op);

/// How the recurrences of a body run. Those of one direction may read those of
/// the other, which then are replayed: from their states at the start of each
/// tile, tile by tile in the order of the first.
struct Directions {
  /// Of the recurrences that are not replayed.
  bool isReverse = false;
  SmallVector<RecurrenceOp, 2> replayed;

  bool isReplayed(RecurrenceOp op) const {
    return llvm::is_contained(replayed, op);
  }
  /// Its states at the start of tiles have to be found first: it is replayed,
  /// and they were not saved.
  bool needsCheckpoints(RecurrenceOp op, int64_t tileSteps) const {
    return isReplayed(op) && !savedStates(op, tileSteps);
  }
  /// Positions in a sequence count from its last step: along the recurrences,
  /// or along those that are replayed.
  bool countsFromEnd() const { return isReverse == replayed.empty(); }
};

/// The directions of a body. Where recurrences run in both, those of one can be
/// replayed if they read no recurrence, and nothing reads their last states;
/// where those of either can, the ones along a recurrence that starts from
/// saved states are, or along the first one: a gradient's first ones are those
/// of its function.
/// None for a body where neither can.
std::optional<Directions> directionsOf(FusedOp op);

/// The recurrences that values of the body are computed from.
SmallVector<RecurrenceOp> recurrencesOf(ValueRange values);
/// Some of these recurrences run in each direction.
bool haveBothDirections(ArrayRef<RecurrenceOp> recurrences);

/// Facts of every value of a fused op's body, in one walk.
class Dependence {
public:
  explicit Dependence(FusedOp op);
  /// As if nothing were replayed.
  static Dependence withoutReplays(FusedOp op);

  const ValueInfo &of(Value value) const { return info.at(value); }
  bool dependsOn(Value value, Axis axis) const {
    return of(value).axes.has(axis);
  }
  /// Number of loops over n that the body needs.
  unsigned numLevels() const { return levels; }
  /// True where `op` reads a state of a loop over n that had ended before
  /// another of its operands was known (C10).
  bool readsEndedLoop(Operation &op) const;
  /// No op of the body does.
  bool isInOrder() const { return inOrder; }

private:
  Dependence(FusedOp op, Directions ways);
  void visit(Operation &op);

  Directions ways;
  llvm::DenseMap<Value, ValueInfo> info;
  unsigned levels = 0;
  bool inOrder = true;
};

} // namespace mlir::ssm

#endif // MAMBA_DIALECT_DEPENDENCE_H
