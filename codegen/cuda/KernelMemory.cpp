//===- KernelMemory.cpp - Addresses, loads and stores in CUDA C++ ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The IR's pointers have no type, C++'s do: that of what they count in.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/KernelWriter.h"

#include <fmt/format.h>

using namespace mlir;
using namespace mlir::ssm::cuda;

/// The longest address of shared memory that is written more than once.
static constexpr size_t kMaxRepeated = 32;

/// Where the pointer was made: an argument, or shared memory. Null where
/// branches chose it.
Value KernelWriter::rootOf(Value pointer) {
  while (true) {
    if (auto address = pointer.getDefiningOp<LLVM::GEPOp>()) {
      pointer = address.getBase();
      continue;
    }
    if (pointer.getDefiningOp<LLVM::AddressOfOp>())
      return pointer;
    auto argument = dyn_cast<BlockArgument>(pointer);
    bool isParameter = argument && argument.getOwner()->getParentOp() == kernel;
    return isParameter ? pointer : Value();
  }
}

/// `float` of `const float *`.
static StringRef pointeeOf(StringRef type) {
  type.consume_front("const ");
  type.consume_back(" *");
  return type;
}

/// A pointer into shared memory, which lies so many bytes behind its address.
static std::string sharedType(StringRef element, int64_t offset) {
  return fmt::format("shared<{}, {}>", element.str(), offset);
}

/// `like`, pointing to `element`.
static std::string pointerTo(StringRef element, StringRef like) {
  if (like.starts_with("shared<"))
    return fmt::format("shared<{}{}", element.str(),
                       like.drop_front(like.find(',')).str());
  return fmt::format("{}{} *", like.starts_with("const ") ? "const " : "",
                     element.str());
}

/// A part of shared memory as elements of `type`: named at the kernel's top.
Expression KernelWriter::sharedRegion(int64_t offset, StringRef type) {
  std::string &region = regions[{offset, type.str()}];
  if (region.empty())
    region = names.take(fmt::format("shared_{}", offset));
  return {region, sharedType(type, offset)};
}

void KernelWriter::placeShared(Value pointer, int64_t offset) {
  sharedOffsets[pointer] = offset;
  std::string type = sharedType("unsigned char", offset);
  values[pointer] = {type + "{ssm_base}", type};
}

/// What an address counts in, and how many of them one step is: a complex
/// number is two floats.
static std::pair<std::string, int64_t> stepOf(Type element) {
  if (auto array = dyn_cast<LLVM::LLVMArrayType>(element))
    return {typeName(array.getElementType()), array.getNumElements()};
  if (element.isInteger(8))
    return {"unsigned char", 1};
  return {typeName(element), 1};
}

void KernelWriter::writeAddress(LLVM::GEPOp op) {
  Expression base = valueOf(op.getBase());
  auto [element, scale] = stepOf(op.getElemType());
  auto index = *op.getIndices().begin();
  auto constant = dyn_cast<IntegerAttr>(index);
  auto offset = sharedOffsets.find(op.getBase());
  bool isPlaced = offset != sharedOffsets.end();
  if (isPlaced && constant && element == "unsigned char") {
    placeShared(op, offset->second + constant.getInt());
    return;
  }
  if (isPlaced)
    base = sharedRegion(offset->second, element);
  std::string type = pointerTo(element, base.type);
  Expression count =
      constant ? literal(constant.getInt()) : valueOf(cast<Value>(index));
  if (count.type == "unsigned")
    count = cast(count, "int");
  if (scale != 1)
    count = binary(literal(scale), "*", count, Binding::Product, count.type);
  base = cast(base, type);
  Expression address = binary(base, "+", count, Binding::Sum, type);
  auto stem = stems.find(rootOf(op));
  // Short addresses in shared memory are written wherever they are used.
  if (isPlaced && address.text.size() <= kMaxRepeated)
    values[op] = address;
  else
    define(op, address,
           stem == stems.end() ? "shared_at" : stem->second + "_at");
  if (valueOf(op).text == address.text)
    places[op] = {base, count};
}

/// What stands for the memory of type `type` at `pointer`, to read or write.
std::string KernelWriter::accessTo(Value pointer, StringRef type, bool writes) {
  Expression address = valueOf(pointer);
  if (pointeeOf(address.type) != type)
    return "*" +
           cast(address, pointerTo(type, writes ? "" : address.type)).text;
  if (auto place = places.find(pointer); place != places.end())
    return fmt::format("{}[{}]", operand(place->second.base, Binding::Primary),
                       place->second.index.text);
  return "*" + operand(address, Binding::Unary);
}

/// The address of shared memory, for a value of type `type`.
std::string KernelWriter::sharedPointer(Value pointer, StringRef type) {
  if (auto offset = sharedOffsets.find(pointer); offset != sharedOffsets.end())
    return sharedRegion(offset->second, type).text;
  return valueOf(pointer).text;
}

static bool isShared(Value pointer) {
  return cast<LLVM::LLVMPointerType>(pointer.getType()).getAddressSpace() ==
         static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);
}

/// The C++ type of a value in memory.
static std::string memoryType(Type type) {
  return typeName(type, /*isUnsigned=*/isa<VectorType>(type));
}

LogicalResult KernelWriter::writeLoad(LLVM::LoadOp op) {
  if (op.use_empty())
    return success();
  std::string type = memoryType(op.getType());
  if (type.empty())
    return op.emitOpError("reads a type that has no form in CUDA C++");
  prelude.use(type);
  std::string source;
  if (op.getOrdering() != LLVM::AtomicOrdering::not_atomic)
    source = fmt::format("{}({})", prelude.use("load_acquire").str(),
                         cast(valueOf(op.getAddr()), "const int *").text);
  else if (op.getInvariant())
    source = fmt::format(
        "{}({})",
        isa<VectorType>(op.getType()) ? prelude.use("load_nc").str() : "__ldg",
        cast(valueOf(op.getAddr()), pointerTo(type, valueOf(op.getAddr()).type))
            .text);
  else if (isShared(op.getAddr()))
    source = fmt::format("{}<{}>({})", prelude.use("load_shared").str(), type,
                         sharedPointer(op.getAddr(), type));
  else
    source = accessTo(op.getAddr(), type, /*writes=*/false);
  writeDefinition(op, {source, type}, stemOf(op));
  return success();
}

LogicalResult KernelWriter::writeStore(LLVM::StoreOp op) {
  std::string type = memoryType(op.getValue().getType());
  if (type.empty())
    return op.emitOpError("writes a type that has no form in CUDA C++");
  std::string value = valueOf(op.getValue()).text;
  if (isShared(op.getAddr()))
    line(fmt::format("{}<{}>({}, {});", prelude.use("store_shared").str(), type,
                     sharedPointer(op.getAddr(), type), value));
  else if (isa<VectorType>(op.getValue().getType()))
    line(fmt::format("{}({}, {});", prelude.use("store_global").str(),
                     cast(valueOf(op.getAddr()), pointerTo(type, "")).text,
                     value));
  else if (op.getOrdering() != LLVM::AtomicOrdering::not_atomic)
    line(fmt::format("{}({}, {});", prelude.use("store_release").str(),
                     cast(valueOf(op.getAddr()), "int *").text, value));
  else
    line(fmt::format("{} = {};", accessTo(op.getAddr(), type, /*writes=*/true),
                     value));
  return success();
}

void KernelWriter::writeCopy(NVVM::CpAsyncOp op) {
  std::string more =
      op.getCpSize() ? ", " + valueOf(op.getCpSize()).text : std::string();
  line(fmt::format("{}({}, {}{});", prelude.use("copy_async").str(),
                   valueOf(op.getDst()).text, valueOf(op.getSrc()).text, more));
}

LogicalResult KernelWriter::writeAtomic(LLVM::AtomicRMWOp op) {
  if (op.getBinOp() == LLVM::AtomicBinOp::fadd && op.use_empty()) {
    std::string type = memoryType(op.getVal().getType());
    prelude.use(type);
    line(fmt::format("{}({}, {});", prelude.use("add_global").str(),
                     cast(valueOf(op.getPtr()), pointerTo(type, "")).text,
                     valueOf(op.getVal()).text));
    return success();
  }
  if (op.getBinOp() != LLVM::AtomicBinOp::add || !op.getType().isInteger(32))
    return op.emitOpError("has no form in CUDA C++: only sums of 32-bit "
                          "integers have one, and those of floats that no one "
                          "reads");
  writeDefinition(
      op,
      call("atomicAdd",
           {cast(valueOf(op.getPtr()), "int *"), valueOf(op.getVal())}, "int"),
      "before");
  return success();
}
