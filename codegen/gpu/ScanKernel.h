//===- ScanKernel.h - The kernel of a fused op ------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emits one kernel for a fused op and a schedule. A block walks the tiles of
// its sequence in order (gradients from the end), or its warps, as teams of one
// each, take them in turn; in a tile, each thread holds `items` steps of one
// channel. Code is emitted by where values live (BodyAnalysis): invariants and
// tables before the tiles, staged values once a tile and team, steps in
// registers, states in loops over n, last states after the tiles. Nothing here
// knows what the body computes.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_SCANKERNEL_H
#define MAMBA_CODEGEN_GPU_SCANKERNEL_H

#include "codegen/PartialSums.h"
#include "codegen/gpu/BodyAnalysis.h"
#include "codegen/gpu/KernelPart.h"
#include "codegen/gpu/LaneOrder.h"
#include "codegen/gpu/LocationScope.h"
#include "codegen/gpu/ScanTile.h"

namespace mlir::ssm {

class ScanKernel {
public:
  /// The temporaries that `part` needs: `chunks` have one entry a scan that
  /// chunks are started for, in the order of the body, `checkpoints` one a
  /// replayed scan whose states were not saved, `totals` one each.
  struct Temporaries {
    SmallVector<ChunkTensors> chunks;
    HandoffTensors handoff;
    SmallVector<unsigned> checkpoints;
    SmallVector<PartialSums> totals;
  };
  ScanKernel(Emit &e, gpu::GPUModuleOp module, StringRef name, LaunchPlan &plan,
             const BodyAnalysis &body, ScheduleAttr schedule, KernelPart part,
             const Temporaries &temporaries);

  /// Emits the kernel and registers its launch.
  void build();

private:
  using Steps = ScanSteps;
  using Table = ScanTable;
  using AheadValue = ScanAheadValue;
  using Ahead = SmallVector<AheadValue>;
  using Tile = ScanTile;
  using ChannelValues = ScanChannelValues;
  using States = ScanStates;

  // Setup.cpp: before the tiles.
  Place place();
  Place placeInLoops();
  const ScanLevels &levelsOf(RecurrenceOp op) const;
  Value existingChannel(Value index, int64_t count);
  void placeChannels(Place &p, Value laneChannel, Value warp);
  void eachChannel(function_ref<void()> body);
  void blockBarrier();
  void teamBarrier();
  Value baseOf(BlockArgument argument);
  void emitInvariants();
  Number invariant(Value value);
  Number sumOfTable(SumOp sum);
  void prepareTable(Value value, DenseSet<Value> &prepared);

  // Tables.cpp: what has n and no l, in shared memory.
  /// Neighbouring states of the current channel; or no state.
  struct StateRun {
    Value first; ///< i32, null where a number has no n.
    int64_t count = 1;
  };
  int64_t rowWords();
  Table allocateTable(Type type, bool perState);
  bool isNeeded(Value value) const;
  void allocateTables();
  Value tableIndex(const Table &table, Value state);
  Number readTable(const Table &table, Value state);
  Steps readTable(const Table &table, StateRun run);
  void writeTable(const Table &table, Value state, Number number);
  void writeTable(const Table &table, StateRun run, ArrayRef<Number> numbers);
  void withChannel(Value row, function_ref<void()> body);
  bool isChannelMajor();
  /// A run of states of one of the block's channels.
  struct OwnRun {
    Value row; ///< i32 of the channel.
    StateRun states;
  };
  void eachItem(Value thread, int64_t threads, int64_t count,
                function_ref<void(Value item, Value exists)> visit);
  int64_t runWidth();
  int64_t numRuns();
  OwnRun runAt(Value item, int64_t more = 0);
  void eachOwnStates(function_ref<void(StateRun)> body);
  Steps evaluateTable(Value value, StateRun run);
  Steps evaluateTable(Value value, StateRun run,
                      llvm::DenseMap<Value, Steps> &known);
  const ChunkTensors *chunkOf(unsigned recurrence) const;
  Steps initialCarries(unsigned recurrence, const Steps &init, StateRun run);
  void fillScalarCarries();
  void fillTables();
  bool holdsTables();
  void fillStates();
  void fillStates(StateRun run,
                  function_ref<void(const Table &, ArrayRef<Number>)> write);
  Value temporaryAddress(unsigned tensor, Value chunk, Value state,
                         bool isComplex);
  Steps readTemporary(unsigned tensor, Value chunk, unsigned recurrence,
                      StateRun run);
  void writeTemporary(unsigned tensor, Value chunk, StateRun run,
                      ArrayRef<Number> numbers);
  void eachOwnCarry(function_ref<void(unsigned, StateRun)> body);
  void storeChunkCarries();

  // Totals.cpp: sums over sequences, steps and channels.
  /// A total, and where the block sums it in shared memory: all words of the
  /// real parts, then all of the imaginary ones.
  struct Total {
    PartialSums sums;
    bool perState = false;
    int64_t shared = 0;
    int64_t words = 0;
  };
  void allocateTotals();
  void clearTotals();
  int64_t statesOf(const Total &total);
  Value ownEntry(const Total &total, Value thread, int64_t c, Value state);
  Value threadOf(Value row, Value slot);
  Number loadEntry(const Total &total, Value entry);
  void storeEntry(const Total &total, Value entry, const Number &number);
  void storeRun(const Total &total, Value entry, ArrayRef<Number> numbers);
  void addSteps(Tile &tile, const Total &total, Value state,
                ArrayRef<Steps> byChannel);
  void addChannels(const Total &total, Value state, ArrayRef<Steps> byChannel);
  struct LaneShare {
    Steps numbers;
    Value first; ///< i32 step of the thread.
    Value owns;  ///< i1; null: always.
  };
  Value isUpperChannel(int64_t distance);
  Number fromChannel(const Number &number, int64_t distance);
  LaneShare addLanes(Steps numbers, int64_t count);
  Steps overOwnChannels(const Total &total, ArrayRef<Steps> byChannel);
  void keepLanes(const Total &total, Value state, Steps sums, int64_t count);
  void addPair(const Total &total, Value state, ArrayRef<Steps> first,
               ArrayRef<Steps> second);
  /// Which of the sums over channels of a team: i32 each.
  struct TileSum {
    Value warp;
    Value apart; ///< Of the warp's own.
  };
  int64_t sumsOfTile();
  int64_t keptStates(const Total &total);
  Value tileEntry(const Total &total, Value state, TileSum sum, Value step);
  void storePoints(Tile &tile, const Total &total, Value state,
                   ArrayRef<Steps> byChannel);
  void addToTotal(Tile &tile, const Total &total, Value state,
                  ArrayRef<Steps> byChannel);
  void addStepTotals(Tile &tile);
  int64_t groupStates();
  bool isInGroups(const Total &total);
  void storeTileTotals(Tile &tile);
  void storeTileTotals(Tile &tile, ArrayRef<const Total *> sums, Value first);
  /// The sums of a total over the block's channels, of steps side by side.
  struct TileTotal {
    const Total *total;
    Value state;    ///< i32, null for none.
    Value position; ///< i64 of the first step.
    Value owns;     ///< i1: this thread stores them.
    Steps numbers;
  };
  int64_t numTileRuns(const Total &total);
  bool hasFewRuns(const Total &total);
  SmallVector<TileTotal> fewTileTotals(Tile &tile, const Total &total,
                                       Value first);
  TileTotal tileTotalAt(Tile &tile, const Total &total, Value first,
                        Value item);
  void storeTileTotal(const TileTotal &sums);
  int64_t tileRun(const Total &total);
  void addRun(const Total &total, Value entry, int64_t width, Steps &sums);
  void storeTotals();
  void storeTotal(const Total &total, StateRun run);
  Number sumOfEntries(const Total &total, Value state);
  void eachOwnRow(function_ref<void()> body);
  Value groupOfBlock(int64_t groups);
  Value partialAddress(const Total &total, Value position, Value state);
  Value ownsPartial(const Total &total);

  // Handoff.cpp: from chunk to chunk in one launch.
  Value takeTicket(Value thread);
  Value progressAddress();
  void waitForChunk();
  Steps handedStates(unsigned recurrence, const Steps &init, StateRun run);
  void handStatesOn();

  // Replay.cpp: recurrences against the direction of the tiles.
  /// The tiles come from the end, in the order of what is not replayed.
  bool walksFromEnd() const { return body.replays() && !isForReplay(part); }
  /// The last tile of the range comes first: weights come against the scan.
  bool takesLastFirst() const { return walksFromEnd() != isWeighted(); }
  /// One team takes all tiles, in that order or the other.
  bool isOneTeam() const { return walksFromEnd() || isWeighted(); }
  bool isReplaying() const { return walksFromEnd() && !isAhead(); }
  bool isMirrored(RecurrenceOp op) const {
    return walksFromEnd() && !body.isReplayed(op);
  }
  unsigned checkpointOf(RecurrenceOp op) const;
  void storeCheckpoints(Value tile);
  Steps stateBefore(Tile &tile, unsigned recurrence, StateRun run);
  SmallVector<Value> requestCheckpoints(Tile &tile);
  void loadCheckpoints(Tile &tile);
  void orderScan(Tile &tile, RecurrenceOp op, LocalScan &scan);
  void skipMissing(Tile &tile, RecurrenceOp op,
                   MutableArrayRef<LocalScan> scans);
  void takeStates(RecurrenceOp op, const LocalScan &scan,
                  llvm::DenseMap<Value, Steps> &values);

  // Relay.cpp: from team to team of a block.
  int64_t tripsOf(unsigned recurrence);
  void prepareBatons();
  Value batonAddress(unsigned recurrence, Value trip, Value team);
  void waitForBaton(Tile &tile, RecurrenceOp op, Value trip);
  void passBaton(RecurrenceOp op, Value trip);
  Value isFirstOfChannel();

  // Copies.cpp: a thread's own steps, by way of shared memory.
  /// A warp's part of a tile of an input in shared memory, in rows of words of
  /// 16 bytes that lie `along` an axis.
  struct WarpRows {
    Axis along = Axis::Length;
    int64_t elementBytes = 0;
    int64_t words = 0;   ///< Of a row.
    int64_t row = 0;     ///< Bytes from one row to the next.
    int64_t segment = 0; ///< Bytes of a lane's rows; along channels alone.
    int64_t bytes = 0;   ///< Of one buffer.
    int64_t shared = 0;  ///< Byte of shared memory.
    /// Of the input, at the channel of each word that the lane copies.
    SmallVector<Value> bases;
  };
  struct RowWord {
    Value place;   ///< i32 byte of the warp's rows.
    Value step;    ///< i32 within the tile.
    Value channel; ///< i64, clamped to the last one.
  };
  std::optional<WarpRows> rowsOfInput(unsigned i);
  void allocateRows();
  int64_t wordsOfLane(const WarpRows &rows);
  RowWord wordAt(const WarpRows &rows, int64_t number);
  RowWord wordOfSteps(const WarpRows &rows, int64_t number, Value first);
  RowWord wordOfChannels(const WarpRows &rows, int64_t number, Value first);
  Value channelOfWarp(Value own, int64_t count);
  Value warpChannel();
  Value rowsIn(const WarpRows &rows, Tile &tile);
  Value ownRow(const WarpRows &rows, Tile &tile);
  void requestRows(Tile &tile);
  void copyWord(BlockArgument argument, const WarpRows &rows, int64_t number,
                Tile &tile);
  void takeRows(BlockArgument argument, Tile &tile);
  void takeEarlyRows(Tile &tile);

  // Tile.cpp: one tile.
  /// Tiles of this block: `from` up to `to`, none where that is not above.
  struct TileRange {
    Value from;
    Value to;
  };
  TileRange tileRange();
  TileRange scannedTiles(Value all);
  bool hasWholeRuns() const;
  Value isInLength(Value position);
  Value inLength(Value position, int64_t count);
  Number orElse(Tile &tile, const Number &number, int64_t step,
                const Number &missing);
  /// Where a team starts, and what it has asked for there: to stage, of its
  /// threads' own steps, and of the states that it replays from.
  struct FirstTile {
    TileRange range;
    Value start;
    SmallVector<Value> words;
    size_t stagedWords = 0;
    size_t checkpointWords = 0;
  };
  bool asksBeforeTables();
  FirstTile requestFirstTile();
  Value tileInRange(const TileRange &range, Value turn);
  Value hasTiles(const FirstTile &first);
  Value turnsOf(const FirstTile &first);
  void emitTiles(const FirstTile &first);
  Value tileOfTurn(const TileRange &range, Value turn);
  Tile tileAt(Value index, Value turn);
  SmallVector<Value> emitTile(Tile &tile, Tile &next);
  SmallVector<Value> eitherWay(Tile &tile,
                               function_ref<SmallVector<Value>(Value)> body);
  void eachOwnInput(function_ref<void(BlockArgument, int64_t joined)> visit);
  SmallVector<Value> requestOwnSteps(Tile &tile);
  void takeOwnSteps(Tile &tile, ArrayRef<Value> words);
  Steps loadSteps(Tile *tile, BlockArgument argument, Value position,
                  Value state, Run run);
  const Steps &stepsOf(Tile &tile, Value value);
  Steps stepsOfOperand(Tile &tile, Value value);
  void storeSteps(Tile &tile);
  Steps stepsOfChannels(Tile &tile, Value value);
  void storeAtStates(Tile &tile, unsigned result, ArrayRef<Number> numbers,
                     int64_t joined);
  /// Where a thread's run of steps lies in memory, and at which state.
  struct StepsPlace {
    Value first;           ///< i64 position.
    Value state = nullptr; ///< i64; null for none.
  };
  void storeStepsOf(Tile &tile, unsigned result, StepsPlace place,
                    ArrayRef<Number> numbers, int64_t joined);
  void storeSegments(Tile &tile, unsigned result, StepsPlace place,
                     ArrayRef<Steps> byState);

  // Scans.cpp: recurrences.
  void readScan(RecurrenceOp op, LocalScan &scan,
                function_ref<Steps(Value)> stepsOf);
  void scanSteps(Tile &tile, RecurrenceOp op);
  std::optional<Number> cheapDecay(Tile &tile, RecurrenceOp op,
                                   function_ref<Number(Value)> factor);
  std::optional<std::pair<Value, Value>> splitDecay(RecurrenceOp op);
  Number sumOfSteps(Tile &tile, Value value);
  Number stateAfter(const LocalScan &scan, Value step);
  void finishCarries(Tile &tile, RecurrenceOp op, ArrayRef<LocalScan> scans,
                     ArrayRef<Value> states);

  // Stage.cpp: values of a tile that all channels share.
  BlockArgument packedInput(Value value);
  /// A staged tile in shared memory: so many elements from a segment, and from
  /// a state, to the next, and in all.
  struct StagedShape {
    Type element;
    int64_t elementBytes;
    int64_t segment;
    int64_t row;
    int64_t tile;
    int64_t tileBytes() const { return tile * elementBytes; }
  };
  StagedShape shapeOf(Value value);
  void allocateStaged();
  void stageTile(Tile &tile);
  /// How a staged tile is cut into runs and dealt to the threads.
  struct Staging {
    Axis along = Axis::Length;
    int64_t width = 1;
    int64_t runs = 0;
  };
  Staging staging();
  struct StagePoint {
    Value step;  ///< i32 within the tile.
    Value state; ///< i32.
  };
  StagePoint stagePoint(const Staging &cut, Value item);
  Value stagePosition(Tile &tile, const Staging &cut, Value step);
  SmallVector<Value> loadAhead(Tile &tile);
  void loadRunAhead(Tile &tile, const Staging &cut, Value item, int64_t number,
                    Value limit, SmallVectorImpl<Value> &words);
  Ahead unflatten(ValueRange words);
  void stageItem(Tile &tile, const Staging &cut, Value item, int64_t number);
  /// Where a run of inputs lies, and of the values computed from them alone.
  struct RunPoint {
    Tile *tile;     ///< Null for what has no l.
    Value position; ///< i64, null as well.
    Value state;    ///< i64.
    Run run;
  };
  Steps evaluateRun(const RunPoint &point, Value value,
                    llvm::DenseMap<Value, Steps> &known);
  /// Where numbers of a staged value lie in its team's tile.
  struct StagedPlace {
    Tile &tile;
    Value value;
    Value state;   ///< i32.
    Value segment; ///< i32 of the tile.
    Value step;    ///< i32 of the segment; null: its first.
  };
  Value stagedAddress(const StagedPlace &place, int64_t table);
  void writeStaged(const StagedPlace &place, ArrayRef<Number> numbers,
                   Axis along);
  Steps readStaged(Tile &tile, Value value, Value state);

  // Loop.cpp: loops over n.
  /// A sum over n, and what is added to it behind the loop, if that is all that
  /// becomes of it: the sum starts there.
  struct SumRoot {
    SumOp sum;
    Value addend; ///< Null where the sum starts at zero.
    Value result; ///< What the loop gives: the sum, or sum + addend.
  };
  /// What a loop over n is for.
  struct Roots {
    SmallVector<RecurrenceOp> recurrences;
    SmallVector<SumRoot> sums;
    SmallVector<unsigned> results;
    SmallVector<const Total *> totals;
    bool isEmpty() const {
      return recurrences.empty() && sums.empty() && results.empty() &&
             totals.empty();
    }
  };
  struct StateLoop {
    Tile &tile;
    Roots roots;
    int64_t together; ///< States of a trip.
    /// The upper half of the lanes along the channels takes the states of each
    /// pair in the other order.
    bool swapsPairs = false;
    /// Then all pairs' addresses are those of the first one and constants:
    /// (1, 1536, 8192) 381 to 372 us.
    bool hasSeveralPairs() const { return swapsPairs && together > 2; }
    /// i32: which state of its pair comes first, and which second.
    Value ofPair[2] = {};
  };
  int64_t statesTogether();
  Roots rootsAt(unsigned level);
  void addReplayed(Roots &roots, unsigned level);
  SumRoot sumRoot(SumOp sum, unsigned level);
  SmallVector<Value> startOfSums(Tile &tile, const Roots &roots);
  SmallVector<Steps> sumsIn(StateLoop &loop, ArrayRef<Value> words);
  States tripAt(StateLoop &loop, Value first);
  SmallVector<Value> endTrip(StateLoop &loop, States &trip,
                             ArrayRef<Value> words);
  bool swapsPairs(const StateLoop &loop);
  void emitStateLoop(Tile &tile, unsigned level);
  SmallVector<Value> emitTrips(StateLoop &loop, ArrayRef<Value> sums);
  void takeSum(Tile &tile, const SumRoot &root, const Steps &sums);
  void prepareRoots(Tile &tile, Roots &roots);
  void prepare(Tile &tile, Value value, DenseSet<Value> &prepared);
  SmallVector<Value> emitStagedTrips(StateLoop &loop, ArrayRef<Value> sums);
  bool mayBeginEarly(const Roots &roots);
  SmallVector<Value> beginEarly(States &states, const Roots &roots);
  void takeBegun(States &states, const Roots &roots, ArrayRef<Value> words);

  // Weights.cpp: segments of chunks as weighted sums.
  /// A recurrence's in shared memory: of each thread by state and channel, and
  /// what the exponents' steps have added up to.
  struct WeightedSums {
    int64_t sums;
    int64_t reached;
  };
  struct LaneSums {
    Number all;
    Number later;
  };
  bool isWeighted() const { return !weighted.empty(); }
  void allocateWeights();
  void clearWeighted();
  Value weightedSums(const WeightedSums &own, Value trip, int64_t count);
  Value reachedWeight(const WeightedSums &own);
  LaneSums sumLanes(const Number &own, bool isMirrored);
  void weighSteps(Tile &tile, RecurrenceOp op);
  void addWeighted(States &states, RecurrenceOp op);
  bool hasFiniteTable(Value c);
  void makeFinite(Value value, Steps &numbers);
  Number finiteFactor(Value c, const Number &number);
  Steps weightsAt(States &states, RecurrenceOp op, const Number &factor);
  Number addTerms(Tile &tile, const Number &sum, const Steps &b,
                  const Steps &weights);
  void joinWeighted();
  Number weightedDecay(unsigned recurrence, Value state);

  // Split.cpp: lanes that split the states.
  bool splits() const { return schedule.getSplit() != 0; }
  int64_t ownStates();
  Value firstStateOf(Value done, int64_t together);
  Value firstInLoop(const Tile &tile) const;
  Value isUpper(int64_t group);
  Steps spread(ArrayRef<Number> own);
  Steps collect(Steps sums);
  Steps stepsInLoop(Tile &tile, Value value);

  // States.cpp: one trip of such a loop.
  void emitStates(States &states, Roots &roots, MutableArrayRef<Steps> sums);
  void addStates(States &states, const Total &total);
  void storeResult(States &states, unsigned result);
  Steps evaluate(States &states, Value value, int64_t u);
  Steps computeState(States &states, Value value, int64_t u);
  void beginScans(States &states, RecurrenceOp op);
  void finishScans(States &states, RecurrenceOp op);
  void markExp(Operation *exp, int64_t step, int64_t count);

  // Results.cpp: after the tiles.
  void storeLast();
  void storeLastOf(unsigned result);
  void storeLastRun(unsigned result, StateRun run);
  Value ownsLast(unsigned result);
  Number evaluateLast(Value value, Value state,
                      llvm::DenseMap<Value, Number> &known);
  Value ownsResult(unsigned result);
  Value inOneSequence(Value owns, bool hasBatch);

  bool isComplexValue(Value value) const {
    return isa<ComplexType>(value.getType());
  }
  unsigned indexOf(RecurrenceOp op) const;
  YieldOp yield() { return cast<YieldOp>(fused.getBlock()->getTerminator()); }
  bool isCarries() const {
    return part == KernelPart::ChunkCarries ||
           part == KernelPart::ReplayCarries;
  }
  /// Blocks that share a sequence: one a chunk, or a segment that is found.
  int64_t numBlocks() const {
    return isCarries() ? schedule.carrySegments() : schedule.getChunks();
  }
  /// Blocks share a sequence.
  bool isChunked() const {
    return part != KernelPart::Whole &&
           (part != KernelPart::Checkpoints || !chunks.empty());
  }
  bool hasCheckpoints(RecurrenceOp op) const {
    return body.directions().needsCheckpoints(op, schedule.tileSteps());
  }
  bool isScanned(RecurrenceOp op) const {
    if (isForReplay(part))
      return hasCheckpoints(op);
    return part != KernelPart::ChunkCarries || !body.isReplayed(op);
  }
  /// Each thread of each block has channels.
  bool allChannelsExist() const {
    return plan.channelMultiple() % schedule.tileChannels() == 0;
  }
  /// Some tile may have steps past the end of the sequence.
  bool meetsEnd() const {
    return (!isAhead() || walksFromEnd()) && !hasWholeTiles();
  }
  /// L is known to end between tiles. Not asked in a relay of two stages: there
  /// the branch that a last tile needs, behind each trip's scan, keeps the next
  /// trip's exponentials in front of the next wait. Without it they come behind
  /// (LLVM's indvars sinks what no wait reads): (1, 1536, 8192) 133 for 120 us.
  bool hasWholeTiles() const {
    bool isStagedRelay = isRelay() && schedule.getStages() == 2;
    return !isStagedRelay && plan.lengthMultiple() % schedule.tileSteps() == 0;
  }
  bool isAhead() const { return mlir::ssm::isAhead(part); }
  bool isRelay() const { return schedule.getRelay() != 0; }
  /// A tile is one step, and asked for ahead: together with the tables.
  bool asksAtOnce() const {
    return schedule.tileSteps() == 1 && schedule.getPrefetch() > 0;
  }
  bool isHandoff() const { return part == KernelPart::Handoff; }
  /// Something reads states of steps, not the segments of chunks alone.
  bool needsStates() const { return !isAhead(); }

  Emit &e;
  LaunchPlan &plan;
  const BodyAnalysis &body;
  FusedOp fused;
  ScheduleAttr schedule;
  KernelPart part;
  SmallVector<ChunkTensors> chunks;
  HandoffTensors handoff;
  SmallVector<unsigned> checkpoints;
  Kernel kernel;
  SharedMemory memory;
  LaneOrder laneOrder;
  Place at;
  /// As `at`, in loops over n: a lane that splits states has all of a tile.
  Place atStates;
  Operands operands;
  ScanLevels levels;
  ScanLevels stateLevels; ///< In loops over n.

  SmallVector<RecurrenceOp> recurrenceOps;
  /// The thread's channels, and the one that code is emitted for: a cursor, as
  /// the insertion point is one.
  SmallVector<ChannelValues, 2> channels;
  unsigned channel = 0;
  llvm::DenseMap<Value, Value> stagedBases;
  llvm::DenseMap<Value, Table> tables;
  llvm::DenseMap<Value, Table> staged;
  int64_t stagedBuffers = 1;
  SmallVector<int64_t> batons; ///< Byte offsets, by recurrence.
  llvm::MapVector<BlockArgument, WarpRows> inputRows;
  SmallVector<size_t> ownWords; ///< Of each input that a thread reads itself.
  Value holdsEnd; ///< i1: the sequence ends in this block's tiles.
  SmallVector<std::tuple<BlockArgument, int64_t, size_t>> aheadShape;
  SmallVector<Table> carries;
  SmallVector<Table> decays;
  SmallVector<WeightedSums> weighted; ///< By recurrence; or none.
  SmallVector<Total> totals;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_SCANKERNEL_H
