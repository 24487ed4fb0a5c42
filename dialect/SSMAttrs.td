//===- SSMAttrs.td - Attributes of the ssm dialect ---------*- tablegen -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SSM_ATTRS_TD
#define SSM_ATTRS_TD

include "dialect/SSMDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class SSM_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::ssm";
  let genSpecializedAttr = 0;
}

class SSM_EnumAttr<EnumAttrInfo info, string mnemonic>
    : EnumAttr<SSM_Dialect, info, mnemonic>;

def SSM_DiscretizeRule : SSM_Enum<"DiscretizeRule", "how h' = A h + B u becomes a recurrence", [
    I32EnumAttrCase<"Zoh", 0, "zoh">, I32EnumAttrCase<"Mamba", 1, "mamba">,
    I32EnumAttrCase<"Bilinear", 2, "bilinear">, I32EnumAttrCase<"Euler", 3, "euler">]>;
def SSM_DiscretizeRuleAttr : SSM_EnumAttr<SSM_DiscretizeRule, "rule">;

def SSM_Activation : SSM_Enum<"Activation", "activation of a gate", [
    I32EnumAttrCase<"Identity", 0, "identity">, I32EnumAttrCase<"Silu", 1, "silu">,
    I32EnumAttrCase<"Sigmoid", 2, "sigmoid">, I32EnumAttrCase<"Gelu", 3, "gelu">]>;
def SSM_ActivationAttr : SSM_EnumAttr<SSM_Activation, "activation">;

def SSM_Axis : SSM_Enum<"Axis", "dimension of the iteration space", [
    I32EnumAttrCase<"Batch", 0, "b">, I32EnumAttrCase<"Length", 1, "l">,
    I32EnumAttrCase<"Channel", 2, "d">, I32EnumAttrCase<"State", 3, "n">,
    I32EnumAttrCase<"Group", 4, "g">, I32EnumAttrCase<"Segment", 5, "segment">]>;

class SSM_Attr<string name, string attrMnemonic> : AttrDef<SSM_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def SSM_AccessAttr : SSM_Attr<"Access", "access"> {
  let summary = "which axis of the iteration space each tensor dimension runs over";
  let description = [{
    One axis a dimension, each at most once: `b` (batch), `l` (length), `d`
    (channel), `n` (state), and `g`, the group of a channel: channel d reads
    group d / (D / G), where G is the dimension's extent and divides D.

    `l/T` is a segment of T steps: ceil(L / T) entries, of which entry k is for
    step k T in the order of a recurrence. States that one function saves and
    another one starts from have this axis.

    Example: `#ssm.access<b, l, g, n>` for B and C of a Mamba layer,
    `#ssm.access<b, l/64, d, n>` for its states before every 64th step.
  }];
  // `every` is T; 0 without segments.
  let parameters = (ins ArrayRefParameter<"Axis">:$axes,
                        DefaultValuedParameter<"int64_t", "0">:$every);
  let builders = [AttrBuilder<(ins "::llvm::ArrayRef<Axis>":$axes), [{
    return $_get($_ctxt, axes, 0);
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The dimension that runs over `axis`, or -1.
    int64_t dimOf(Axis axis) const;
    bool has(Axis axis) const { return dimOf(axis) >= 0; }
    unsigned rank() const { return getAxes().size(); }
  }];
}

def SSM_LayoutAttr : SSM_Attr<"Layout", "layout"> {
  let summary = "what a kernel may assume of a tensor argument's memory";
  let description = [{
    `unit` is the dimension with a stride of one element (-1: none); `align`
    is a number of bytes that divides the base address and every other stride.
    `stride`, where it is there, is that of dimension `dim`, in elements: code
    has it as a constant.
    It stands on arguments and results of a function as `ssm.layout`. The
    default is row-major memory: the last dimension is the unit one, and
    alignment is that of the element.

    Example: `#ssm.layout<unit = 1, align = 16>` for (b, l, d) values that lie
    in (B, D, L) memory, and `#ssm.layout<unit = 2, align = 16, stride = 4096,
    dim = 1>` for half of the rows of a (B, L, 4096) tensor.
  }];
  let parameters = (ins "int64_t":$unit, "int64_t":$align,
      DefaultValuedParameter<"int64_t", "-1">:$dim,
      DefaultValuedParameter<"int64_t", "0">:$stride);
  let assemblyFormat = [{
    `<` `unit` `=` $unit `,` `align` `=` $align
    (`,` `stride` `=` $stride^ `,` `dim` `=` $dim)? `>`
  }];
  let genVerifyDecl = 1;
}

def SSM_ScheduleAttr : SSM_Attr<"Schedule", "schedule"> {
  let summary = "how a fused op maps to a GPU";
  let description = [{
    A warp covers `lanes` segments along L and 32 / `lanes` times `channels`
    channels; a lane holds `items` consecutive steps of `channels` neighbouring
    channels in registers. A block stacks `warps_l`
    warps along L, joined by a Blelloch scan in shared memory, and `warps_d`
    warps along the channels. `chunks` blocks share one sequence, joined by a
    pass over their carries. 1 in a field switches its level of the scan off:
    `lanes = 1, warps_l = 1, chunks = 1` is the serial scan.

    With `split = 1` the lanes of a channel share out its states, not its steps,
    in the loops over n: each scans all steps of the tile at its own part of the
    states, without a second pass. What has no n stays with the lane of its step.
    The states are a multiple of `lanes`, and `warps_l` is 1 or `relay` is.

    With `handoff = 1` the chunks of a sequence follow each other in one launch:
    blocks start in the order of their chunks, and each waits for the states
    that the one before it hands on. Chunks then share out work evenly, and cost
    no second pass; they do not shorten a sequence that has the GPU to itself.

    Without it a kernel before finds the segment that each chunk is to its
    recurrences, but for the last one's, which nothing follows. `carry_parts`
    blocks share a chunk there, which fill a GPU evenly where few chunks do not.
    The last chunk is `last_chunk` times as long as the others: less is computed
    twice, and where others take so many turns on a multiprocessor, they end when
    it does. Both are as 1 with `handoff`.

    With `relay = 1` the warps along L do not scan one tile together: they take
    tiles in turn, and each hands every state on to the warp with the next tile.
    Any number of them may; each has all channels of the block (`warps_d = 1`).

    With `prefetch = 1` a thread asks for its steps of the next tile before it
    computes those of its own, and holds them in registers. With `prefetch = 2`
    they are copied to shared memory meanwhile (cp.async), in words of 16 bytes:
    fewer registers, and whole lines where channels are neighbours in memory. It
    is as 1 for inputs that do not lie in such words. Where a tile is one step,
    both ask for the first one together with what tables are filled from.

    With `stages = 2` the loop over n begins the next
    `unroll` states, their exponentials and their scan within the thread,
    before it ends those before them, so that the two overlap. It is as 1 where
    twice `unroll` does not divide the states, or one recurrence feeds another.
    Two stages hold `items * channels * unroll` values twice: 64 at most, with the
    items of all lanes that split states.

    With `packed = 1` a staged tile keeps inputs of 16-bit floats as they are
    stored: half the shared memory, half the reads and fewer registers between
    them, for an instruction a value that widens it. It is as 0 where `items`
    (of all lanes that split states) is no multiple of 8, and for what is computed from inputs.

    Lanes along the channels add sums over channels by shuffles, down to `apart`
    sums a warp, which go to shared memory and are added with those of the other
    warps: fewer instructions, and as many times the shared memory for them. Two
    lanes at least add theirs, so half of the lanes along the channels is the most
    that counts.

    With `atomics = 1` blocks add their sums over channels to those of other
    blocks in memory, as they come: a sum for all blocks in place of one each, and
    other bits in every run. It says nothing of totals over steps, which are few,
    nor where a block's channels are of several groups.

    Of eight consecutive steps of a lane, `fma_exps` have their real exponentials
    in loops over n as polynomials, spread evenly, the eighth among them: a dozen
    instructions of other pipes for one that holds the pipe of exponentials for
    eight clocks. It pays where that pipe binds and instructions do not: always in
    kernels that add up what chunks carry, which have one at least.
  }];
  let parameters = (ins
    DefaultValuedParameter<"int64_t", "1", "lanes of a warp along L; a power of two up to 32">:$lanes,
    DefaultValuedParameter<"int64_t", "0", "1: in loops over n, these lanes split the states">:$split,
    DefaultValuedParameter<"int64_t", "8", "consecutive steps a lane holds in registers, up to 32">:$items,
    DefaultValuedParameter<"int64_t", "1", "neighbouring channels a lane holds in registers; a power of two up to 8">:$channels,
    DefaultValuedParameter<"int64_t", "1", "warps of a block along L; a power of two up to 32, any number with relay">:$warps_l,
    DefaultValuedParameter<"int64_t", "1", "warps of a block along the channels">:$warps_d,
    DefaultValuedParameter<"int64_t", "1", "blocks that share one sequence, up to 1024">:$chunks,
    DefaultValuedParameter<"int64_t", "0", "1: chunks hand their states on within one launch">:$handoff,
    DefaultValuedParameter<"int64_t", "1", "blocks that share a chunk where its segment is found; up to 64">:$carry_parts,
    DefaultValuedParameter<"int64_t", "1", "how many times as long as others the last chunk is, up to 16">:$last_chunk,
    DefaultValuedParameter<"int64_t", "0", "1: warps along L take tiles in turn">:$relay,
    DefaultValuedParameter<"int64_t", "1", "states computed together in the loop over n">:$unroll,
    DefaultValuedParameter<"int64_t", "1", "groups of such states under way at a time: 1 or 2">:$stages,
    DefaultValuedParameter<"int64_t", "0", "1: a thread loads its steps a tile ahead; 2: it copies them">:$prefetch,
    DefaultValuedParameter<"int64_t", "0", "1: staged inputs stay 16-bit floats">:$packed,
    DefaultValuedParameter<"int64_t", "1", "sums over channels that a warp keeps apart; a power of two up to 16">:$apart,
    DefaultValuedParameter<"int64_t", "0", "1: sums over the channels of blocks are atomic, in no fixed order">:$atomics,
    DefaultValuedParameter<"int64_t", "0", "of eight steps, those whose exponentials are polynomials; up to 8">:$fma_exps,
    DefaultValuedParameter<"int64_t", "0", "blocks an SM that registers must allow; 0: no bound">:$min_blocks
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Lanes of a warp side by side along the channels.
    int64_t channelLanes() const { return 32 / getLanes(); }
    /// Lanes that share the states of a channel in loops over n, and the steps
    /// that each of them has there.
    int64_t stateLanes() const { return getSplit() ? getLanes() : 1; }
    int64_t stateItems() const { return stateLanes() * getItems(); }
    /// Channels that one warp covers.
    int64_t warpChannels() const { return channelLanes() * getChannels(); }
    /// Channels that one block covers.
    int64_t tileChannels() const { return warpChannels() * getWarpsD(); }
    /// Warps along L that scan one tile together.
    int64_t scanWarps() const { return getRelay() ? 1 : getWarpsL(); }
    /// Teams of warps that take tiles in turn; one has all warps, or one each.
    int64_t teams() const { return getRelay() ? getWarpsL() : 1; }
    /// Steps of a tile, what one team covers in one trip of its loop over L.
    int64_t tileSteps() const { return getLanes() * getItems() * scanWarps(); }
    int64_t threads() const { return 32 * getWarpsL() * getWarpsD(); }
    /// The parts of a sequence, of which the last chunk has several.
    int64_t chunkUnits() const {
      return getHandoff() ? getChunks() : getChunks() - 1 + getLastChunk();
    }
    /// Segments that are found before the chunks, those of all but the last one.
    int64_t carrySegments() const {
      return (getChunks() - 1) * getCarryParts();
    }
    int64_t teamThreads() const { return threads() / teams(); }
    /// Inputs of 16-bit floats stay so in staged tiles, in words of 16 bytes.
    bool packs() const { return getPacked() && stateItems() % 8 == 0; }
    /// Sums over channels that each warp writes to shared memory.
    int64_t sumsApart() const {
      return std::clamp<int64_t>(channelLanes() / 2, 1, getApart());
    }
  }];
}

def SSM_CpuScheduleAttr : SSM_Attr<"CpuSchedule", "cpu_schedule"> {
  let summary = "how a fused op maps to a CPU";
  let description = [{
    A task computes `vector` channels of one sequence, side by side in the
    lanes of SIMD registers, serially along L in tiles of `items` steps.
    `chunks` tasks share one sequence, joined by a pass over their carries.
  }];
  let parameters = (ins
    DefaultValuedParameter<"int64_t", "16", "channels side by side in a vector">:$vector,
    DefaultValuedParameter<"int64_t", "16", "steps whose per-channel work is done before the states'">:$items,
    DefaultValuedParameter<"int64_t", "1", "tasks that share one sequence">:$chunks
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // SSM_ATTRS_TD
