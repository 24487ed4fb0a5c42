//===- KernelWriter.cpp - One kernel as a CUDA C++ function ---------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/KernelWriter.h"

#include "codegen/cuda/Arithmetic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "runtime/Validate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm::cuda;

/// The longest expression that is written where it is read.
static constexpr size_t kMaxInline = 64;
/// Operations of the largest loop that a compiler may unroll: the schedule has
/// unrolled what is large, and short ones overlap their loads that way.
static constexpr int64_t kMaxUnrolled = 48;

void KernelWriter::line(const std::string &text) {
  body += wrapLine(text, std::string(2 * depth, ' '));
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

SmallVector<Expression> KernelWriter::operandsOf(Operation &op) {
  return llvm::map_to_vector(op.getOperands(),
                             [&](Value value) { return valueOf(value); });
}

bool KernelWriter::isReadOnceNear(Value value) {
  return value.hasOneUse() && value.use_begin()->getOwner()->getBlock() ==
                                  value.getDefiningOp()->getBlock();
}

static bool isPointer(StringRef type) { return type.ends_with("*"); }

std::string mlir::ssm::cuda::declaration(StringRef type, StringRef name) {
  return (type + (isPointer(type) ? "" : " ") + name).str();
}

/// What a variable for `value` is called: after the tensor it was loaded from,
/// or what computes it.
std::string KernelWriter::stemOf(Value value) {
  if (auto load = value.getDefiningOp<LLVM::LoadOp>()) {
    auto stem = stems.find(rootOf(load.getAddr()));
    return stem == stems.end() ? "shared" : stem->second;
  }
  if (auto branch = value.getDefiningOp<scf::IfOp>())
    return stemOf(
        branch.thenYield().getOperand(cast<OpResult>(value).getResultNumber()));
  if (Operation *op = value.getDefiningOp(); op && op->getNumResults() == 1)
    return stemFor(*op).str();
  // A carried value keeps the stem of its name.
  StringRef name = values[value].text;
  return name.take_front(name.find('_')).str();
}

/// Writes the value into its variable: a new one, or a branch's result.
void KernelWriter::writeDefinition(Value value, const Expression &expression,
                                   StringRef stem) {
  std::string variable = targets.lookup(value);
  std::string left = variable;
  if (variable.empty()) {
    variable = names.number(stem);
    left = (isPointer(expression.type) ? "" : "const ") +
           declaration(expression.type, variable);
  }
  line(fmt::format("{} = {};", left, expression.text));
  values[value] = {variable, expression.type};
}

void KernelWriter::define(Value value, Expression expression, StringRef stem) {
  bool isShort = expression.text.size() <= kMaxInline;
  bool isName = llvm::all_of(expression.text, [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.';
  });
  if (expression.isLiteral() || isName ||
      (value.getDefiningOp<arith::ConstantOp>() && isShort) ||
      (isReadOnceNear(value) && isShort))
    values[value] = std::move(expression);
  else
    writeDefinition(value, expression, stem);
}

/// How many whole warps of threads lie in one value of thread / divisor; 0 for
/// another op, or one that not all lanes of a warp may get to.
static int64_t warpsIn(Operation &op) {
  auto quotient = dyn_cast<arith::DivUIOp>(op);
  if (!quotient || !isa<gpu::GPUFuncOp>(op.getParentOp()))
    return 0;
  auto index = quotient.getLhs().getDefiningOp<arith::IndexCastOp>();
  APInt divisor;
  if (!index || !index.getIn().getDefiningOp<gpu::ThreadIdOp>() ||
      !matchPattern(quotient.getRhs(), m_ConstantInt(&divisor)))
    return 0;
  return divisor.getSExtValue() % 32 == 0 ? divisor.getSExtValue() / 32 : 0;
}

LogicalResult KernelWriter::writeComputed(Operation &op) {
  if (op.use_empty())
    return success();
  if (int64_t warps = warpsIn(op)) {
    Expression warp = call(prelude.use("warp_of_thread"), {}, "unsigned");
    writeDefinition(op.getResult(0),
                    warps == 1 ? warp
                               : binary(warp, "/", literal(warps),
                                        Binding::Product, "unsigned"),
                    "warp");
    return success();
  }
  if (op.getNumResults() == 1)
    if (std::optional<Expression> found =
            arithmeticOf(op, operandsOf(op), prelude)) {
      define(op.getResult(0), std::move(*found), stemFor(op));
      return success();
    }
  return op.emitOpError("has no form in CUDA C++; use the nvptx back end");
}

LogicalResult KernelWriter::writeShuffle(gpu::ShuffleOp op) {
  if (!op.getValid().use_empty())
    return op.emitOpError("is asked whether its lane is valid, which CUDA C++ "
                          "doesn't tell");
  Expression value = valueOf(op.getValue());
  std::string function =
      op.getMode() == gpu::ShuffleMode::IDX
          ? "__shfl_sync"
          : fmt::format("__shfl_{}_sync",
                        gpu::stringifyShuffleMode(op.getMode()).str());
  Expression result = call(function,
                           {{"0xffffffffu", "unsigned"},
                            value,
                            valueOf(op.getOffset()),
                            valueOf(op.getWidth())},
                           value.type);
  writeDefinition(op.getShuffleResult(), result, "other");
  return success();
}

/// A vector from its elements: the last of a chain of insertions writes it.
/// Vectors that begin with the same elements share the start of their chains.
LogicalResult KernelWriter::writeAggregate(LLVM::InsertElementOp op) {
  auto isLink = [](Operation *user) {
    return isa<LLVM::InsertElementOp>(user);
  };
  if (!op->use_empty() && llvm::all_of(op->getUsers(), isLink))
    return success();
  auto type = cast<VectorType>(op.getType());
  SmallVector<std::string> elements(type.getNumElements());
  Value vector = op;
  while (auto insert = vector.getDefiningOp<LLVM::InsertElementOp>()) {
    IntegerAttr at;
    if (!matchPattern(insert.getPosition(), m_Constant(&at)))
      return insert.emitOpError("writes an element that only a launch knows");
    std::string &element = elements[at.getInt()];
    if (element.empty())
      element = valueOf(insert.getValue()).text;
    vector = insert.getVector();
  }
  if (!vector.getDefiningOp<LLVM::PoisonOp>() ||
      llvm::any_of(elements, [](auto &element) { return element.empty(); }))
    return op.emitOpError("leaves elements of a vector as they were, which has "
                          "no form in CUDA C++");
  std::string name = prelude.use(typeName(type)).str();
  define(op, {name + "{{" + llvm::join(elements, ", ") + "}}", name}, "all");
  return success();
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

/// True if `name` is a word of `text`.
static bool reads(StringRef text, StringRef name) {
  auto isPart = [&](size_t i) {
    return i < text.size() && (llvm::isAlnum(text[i]) || text[i] == '_');
  };
  for (size_t at = text.find(name); at != StringRef::npos;
       at = text.find(name, at + 1))
    if (!(at > 0 && isPart(at - 1)) && !isPart(at + name.size()))
      return true;
  return false;
}

/// Writes all variables at once: no right side sees a new value.
void KernelWriter::assign(ArrayRef<std::string> variables, ValueRange given) {
  SmallVector<std::string> sources;
  for (auto [variable, value] : llvm::zip(variables, given)) {
    Expression source = valueOf(value);
    bool isPoison = value.getDefiningOp<LLVM::PoisonOp>();
    sources.push_back(isPoison ? variable : source.text);
  }
  for (size_t i = 0; i < sources.size(); ++i)
    for (size_t k = i + 1; k < sources.size(); ++k)
      if (sources[i] != variables[i] && reads(sources[k], variables[i])) {
        std::string kept = names.number("next");
        line(fmt::format("const {} {} = {};", valueOf(given[k]).type, kept,
                         sources[k]));
        sources[k] = kept;
      }
  for (auto [variable, source] : llvm::zip(variables, sources))
    if (variable != source)
      line(fmt::format("{} = {};", variable, source));
}

LogicalResult KernelWriter::writeNested(Block &block) {
  ++depth;
  LogicalResult result = writeBlock(block);
  --depth;
  return result;
}

LogicalResult KernelWriter::writeLoop(scf::ForOp op) {
  SmallVector<std::string> carried;
  for (auto [init, arg, result] :
       llvm::zip(op.getInitArgs(), op.getRegionIterArgs(), op.getResults())) {
    Expression start = valueOf(init);
    if (start.isLiteral())
      start.type = typeName(init.getType());
    carried.push_back(names.number(stemOf(init)));
    bool isPoison = init.getDefiningOp<LLVM::PoisonOp>();
    line(declaration(start.type, carried.back()) +
         (isPoison ? "" : " = " + start.text) + ";");
    Expression variable{carried.back(), start.type};
    values[arg] = variable;
    values[result] = variable;
  }
  int64_t size = 0;
  op.getBody()->walk([&](Operation *) { ++size; });
  if (size > kMaxUnrolled)
    line("#pragma unroll 1");
  std::string type = typeName(op.getInductionVar().getType());
  std::string i = names.number("i");
  values[op.getInductionVar()] = {i, type};
  Expression step = valueOf(op.getStep());
  line(fmt::format(
      "for ({0} {1} = {2}; {1} < {3}; {4}) {{", type, i,
      cast(valueOf(op.getLowerBound()), type).text,
      operand(cast(valueOf(op.getUpperBound()), type), Binding::Sum),
      step.text == "1" ? "++" + i : i + " += " + step.text));
  if (failed(writeNested(*op.getBody())))
    return failure();
  ++depth;
  assign(carried, op.getYieldedValues());
  --depth;
  line("}");
  return success();
}

/// Loops that ask until something holds: they carry nothing.
LogicalResult KernelWriter::writeWhile(scf::WhileOp op) {
  if (op.getNumResults() || op.getInits().size())
    return op.emitOpError("carries values, which has no form in CUDA C++");
  line("for (;;) {");
  if (failed(writeNested(*op.getBeforeBody())))
    return failure();
  ++depth;
  Expression goesOn = valueOf(op.getConditionOp().getCondition());
  line(StringRef(goesOn.text).starts_with("!")
           ? fmt::format("if ({})", goesOn.text.substr(1))
           : fmt::format("if (!{})", operand(goesOn, Binding::Primary)));
  line("  break;");
  --depth;
  if (failed(writeNested(*op.getAfterBody())))
    return failure();
  line("}");
  return success();
}

/// Declares a branch's results; neighbours of one type in one declaration.
void KernelWriter::declareResults(scf::IfOp op, ArrayRef<std::string> variables,
                                  ArrayRef<std::string> types) {
  std::string pending;
  for (auto [i, result] : llvm::enumerate(op.getResults())) {
    values[result] = {variables[i], types[i]};
    if (targets.contains(result))
      continue;
    bool joins = !pending.empty() && i > 0 && types[i] == types[i - 1] &&
                 !isPointer(types[i]);
    if (!joins && !pending.empty())
      line(pending + ";");
    pending = joins ? pending + ", " + variables[i]
                    : declaration(types[i], variables[i]);
  }
  if (!pending.empty())
    line(pending + ";");
}

/// One side of a branch, which ends in its results' variables.
LogicalResult KernelWriter::writeSide(Block &block,
                                      ArrayRef<std::string> variables) {
  ValueRange yielded = block.getTerminator()->getOperands();
  // What is read by nothing else is computed into the result.
  for (auto [value, variable] : llvm::zip(yielded, variables))
    if (value.hasOneUse() && value.getParentBlock() == &block)
      targets[value] = variable;
  if (failed(writeNested(block)))
    return failure();
  ++depth;
  assign(variables, yielded);
  --depth;
  return success();
}

LogicalResult KernelWriter::writeIf(scf::IfOp op) {
  SmallVector<std::string> variables;
  for (Value result : op.getResults()) {
    std::string target = targets.lookup(result);
    variables.push_back(target.empty() ? names.number(stemOf(result)) : target);
  }
  size_t declarations = body.size();
  line(fmt::format("if ({}) {{", valueOf(op.getCondition()).text));
  if (failed(writeSide(*op.thenBlock(), variables)))
    return failure();
  SmallVector<std::string> types;
  for (Value yielded : op.thenYield().getOperands())
    types.push_back(valueOf(yielded).type);
  if (!op.getElseRegion().empty()) {
    line("} else {");
    if (failed(writeSide(*op.elseBlock(), variables)))
      return failure();
    // A literal has no type, and a pointer's comes from either side.
    for (auto [type, yielded] : llvm::zip(types, op.elseYield().getOperands()))
      if (type.empty())
        type = valueOf(yielded).type;
  }
  line("}");
  for (auto [type, result] : llvm::zip(types, op.getResults()))
    if (type.empty())
      type = typeName(result.getType());
  std::string rest = body.substr(declarations);
  body.resize(declarations);
  declareResults(op, variables, types);
  body += rest;
  return success();
}

LogicalResult KernelWriter::writeBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(write(op)))
      return failure();
  return success();
}

/// The index of a thread or block along x, the only axis that launches have.
static std::optional<Expression> idOf(Operation &op) {
  return llvm::TypeSwitch<Operation *, std::optional<Expression>>(&op)
      .Case<gpu::ThreadIdOp>(
          [](auto) { return Expression{"threadIdx.x", "unsigned"}; })
      .Case<gpu::BlockIdOp>(
          [](auto) { return Expression{"blockIdx.x", "unsigned"}; })
      .Case<gpu::GridDimOp>(
          [](auto) { return Expression{"gridDim.x", "unsigned"}; })
      .Case<gpu::BlockDimOp>(
          [](auto) { return Expression{"blockDim.x", "unsigned"}; })
      .Default(std::nullopt);
}

LogicalResult KernelWriter::write(Operation &op) {
  if (std::optional<Expression> id = idOf(op)) {
    values[op.getResult(0)] = *id;
    return success();
  }
  auto barrier = [&](StringRef function, Value at, const std::string &more) {
    line(fmt::format("{}({}{});", prelude.use(function).str(), valueOf(at).text,
                     more));
    return success();
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case<scf::ForOp>([&](auto op) { return writeLoop(op); })
      .Case<scf::WhileOp>([&](auto op) { return writeWhile(op); })
      .Case<scf::IfOp>([&](auto op) { return writeIf(op); })
      .Case<gpu::ShuffleOp>([&](auto op) { return writeShuffle(op); })
      .Case<gpu::BarrierOp>([&](auto) {
        line("__syncthreads();");
        return success();
      })
      .Case<NVVM::SyncWarpOp>([&](auto) {
        line("__syncwarp();");
        return success();
      })
      .Case<NVVM::MBarrierInitOp>([&](auto op) {
        return barrier("mbarrier_init", op.getAddr(),
                       ", " + valueOf(op.getCount()).text);
      })
      .Case<NVVM::MBarrierArriveOp>(
          [&](auto op) { return barrier("mbarrier_arrive", op.getAddr(), ""); })
      .Case<NVVM::MBarrierTryWaitOp>([&](auto op) {
        writeDefinition(
            op.getResult(),
            call(prelude.use("mbarrier_done"),
                 {valueOf(op.getAddr()), valueOf(op.getStateOrPhase())},
                 "bool"),
            "done");
        return success();
      })
      .Case<NVVM::CpAsyncOp>([&](auto op) {
        writeCopy(op);
        return success();
      })
      .Case<NVVM::CpAsyncCommitGroupOp>([&](auto) {
        line(fmt::format("{}();", prelude.use("commit_copies").str()));
        return success();
      })
      .Case<NVVM::CpAsyncWaitGroupOp>([&](auto op) {
        line(fmt::format("{}<{}>();", prelude.use("wait_for_copies").str(),
                         op.getN()));
        return success();
      })
      .Case<LLVM::GEPOp>([&](auto op) {
        writeAddress(op);
        return success();
      })
      .Case<LLVM::AddressOfOp>([&](auto op) {
        placeShared(op, 0);
        return success();
      })
      .Case<LLVM::LoadOp>([&](auto op) { return writeLoad(op); })
      .Case<LLVM::StoreOp>([&](auto op) { return writeStore(op); })
      .Case<LLVM::AtomicRMWOp>([&](auto op) { return writeAtomic(op); })
      .Case<LLVM::InsertElementOp>([&](auto op) { return writeAggregate(op); })
      .Case<LLVM::PoisonOp>([&](auto op) {
        std::string type = typeName(op.getType(), /*isUnsigned=*/true);
        values[op] = {prelude.use(type).str() + "()", type};
        return success();
      })
      .Default([&](Operation *op) { return writeComputed(*op); });
}

//===----------------------------------------------------------------------===//
// Frame
//===----------------------------------------------------------------------===//

StringRef mlir::ssm::cuda::elementName(mamba::DType type) {
  switch (type) {
  case mamba::DType::F16:
    return "f16";
  case mamba::DType::BF16:
    return "bf16";
  case mamba::DType::F32:
  case mamba::DType::C64:
    return "float";
  case mamba::DType::F64:
  case mamba::DType::C128:
    return "double";
  }
  llvm_unreachable("all element types are listed");
}

std::string mlir::ssm::cuda::argumentName(const mamba::Artifact &artifact,
                                          const mamba::KernelArg &arg) {
  using Kind = mamba::KernelArg::Kind;
  static constexpr StringLiteral kExtents[] = {"batch",  "length", "channels",
                                               "states", "groups", "extent"};
  if (arg.kind == Kind::Extent)
    return kExtents[arg.dim].str();
  const mamba::TensorSpec &tensor = artifact.tensors[arg.index];
  if (arg.kind == Kind::Pointer)
    return tensor.name;
  mamba::Axis axis = tensor.dims[arg.dim].axis;
  return fmt::format("{}_stride_{}", tensor.name,
                     axis == mamba::Axis::Other ? 'x' : mamba::letterOf(axis));
}

void KernelWriter::nameArguments() {
  names.take("ssm_shared");
  names.take("ssm_base");
  llvm::DenseSet<Value> written;
  kernel.walk([&](Operation *op) {
    if (auto store = dyn_cast<LLVM::StoreOp>(op))
      written.insert(rootOf(store.getAddr()));
    if (auto atomic = dyn_cast<LLVM::AtomicRMWOp>(op))
      written.insert(rootOf(atomic.getPtr()));
  });
  for (auto [value, arg] : llvm::zip(kernel.getArguments(), launch.args)) {
    std::string taken = names.take(argumentName(artifact, arg));
    if (arg.kind != mamba::KernelArg::Kind::Pointer) {
      values[value] = {taken, "long long"};
      continue;
    }
    std::string element = elementName(artifact.tensors[arg.index].dtype).str();
    prelude.use(element);
    bool isConst = !written.contains(value) && !written.contains(Value());
    values[value] = {taken, (isConst ? "const " : "") + element + " *"};
    stems[value] = taken;
  }
}

std::string KernelWriter::parameters() {
  std::string texts;
  for (BlockArgument arg : kernel.getArguments()) {
    const Expression &value = values[arg];
    bool isRestrict = !!kernel.getArgAttr(
        arg.getArgNumber(), LLVM::LLVMDialect::getNoAliasAttrName());
    std::string type = isPointer(value.type) && isRestrict
                           ? value.type + "__restrict__"
                           : value.type;
    texts +=
        (texts.empty() ? "\n    " : ",\n    ") + declaration(type, value.text);
  }
  return texts;
}

/// Threads of a block, blocks of an SM, registers of a thread.
std::string KernelWriter::attributes() {
  std::string bounds = std::to_string(launch.blockSize);
  auto numberOf = [&](StringRef name) {
    auto attr = kernel->getAttrOfType<IntegerAttr>(name);
    return attr ? std::to_string(attr.getInt()) : std::string();
  };
  std::string blocks = numberOf(NVVM::NVVMDialect::getMinctasmAttrName());
  if (!blocks.empty())
    bounds += ", " + blocks;
  std::string registers = numberOf(NVVM::NVVMDialect::getMaxnregAttrName());
  std::string text = fmt::format("__launch_bounds__({})", bounds);
  return registers.empty() ? text
                           : fmt::format("{} __maxnreg__({})", text, registers);
}

FailureOr<std::string> KernelWriter::run() {
  nameArguments();
  if (failed(writeBlock(kernel.getBody().front())))
    return failure();
  std::string text = fmt::format("extern \"C\" __global__ void {}\n{}({}) {{\n",
                                 attributes(), name, parameters());
  if (launch.sharedBytes) {
    prelude.use("shared_start");
    text += "  extern __shared__ __align__(16) unsigned char ssm_shared[];\n"
            "  const unsigned ssm_base = shared_start(ssm_shared);\n";
  }
  for (const auto &[key, region] : regions)
    text += fmt::format("  const shared<{}, {}> {} = {{ssm_base}};\n",
                        key.second, key.first, region);
  return text + body + "}\n";
}
