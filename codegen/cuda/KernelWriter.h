//===- KernelWriter.h - One kernel as a CUDA C++ function -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Walks the kernel once. A value that is read once, in the block that it is
// computed in, is written where it is read, as long as the line stays short;
// others get a name. Loads, shuffles and stores stay where they are.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CUDA_KERNELWRITER_H
#define MAMBA_CODEGEN_CUDA_KERNELWRITER_H

#include "codegen/cuda/Expression.h"
#include "codegen/cuda/Names.h"
#include "codegen/cuda/Prelude.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "runtime/Artifact.h"
#include "llvm/ADT/DenseMap.h"

#include <map>

namespace mlir::ssm::cuda {

/// Writes one kernel of a lowered module.
class KernelWriter {
public:
  /// `launch` and `artifact` say what the kernel's arguments are; `name` is
  /// the function's, as an identifier.
  KernelWriter(gpu::GPUFuncOp kernel, const mamba::Artifact &artifact,
               const mamba::LaunchSpec &launch, std::string name,
               Prelude &prelude)
      : kernel(kernel), artifact(artifact), launch(launch),
        name(std::move(name)), prelude(prelude) {}

  /// The function's text. An op that no C++ is known for is reported at its
  /// place.
  FailureOr<std::string> run();

private:
  /// An address as what it was computed from.
  struct Place {
    Expression base;
    Expression index;
  };

  // The frame.
  void nameArguments();
  std::string parameters();
  std::string attributes();
  Value rootOf(Value pointer);

  // Values.
  Expression valueOf(Value value) { return values.at(value); }
  SmallVector<Expression> operandsOf(Operation &op);
  void define(Value value, Expression expression, StringRef stem);
  void writeDefinition(Value value, const Expression &expression,
                       StringRef stem);
  bool isReadOnceNear(Value value);
  std::string stemOf(Value value);

  // Statements.
  LogicalResult writeBlock(Block &block);
  LogicalResult write(Operation &op);
  LogicalResult writeComputed(Operation &op);
  LogicalResult writeShuffle(gpu::ShuffleOp op);
  LogicalResult writeAggregate(LLVM::InsertElementOp op);
  LogicalResult writeLoop(scf::ForOp op);
  LogicalResult writeWhile(scf::WhileOp op);
  LogicalResult writeIf(scf::IfOp op);
  LogicalResult writeSide(Block &block, ArrayRef<std::string> variables);
  void declareResults(scf::IfOp op, ArrayRef<std::string> variables,
                      ArrayRef<std::string> types);
  LogicalResult writeNested(Block &block);
  void assign(ArrayRef<std::string> variables, ValueRange values);
  void line(const std::string &text);

  // Memory.
  void writeAddress(LLVM::GEPOp op);
  LogicalResult writeLoad(LLVM::LoadOp op);
  LogicalResult writeStore(LLVM::StoreOp op);
  LogicalResult writeAtomic(LLVM::AtomicRMWOp op);
  void writeCopy(NVVM::CpAsyncOp op);
  std::string accessTo(Value pointer, StringRef type, bool writes);
  Expression sharedRegion(int64_t offset, StringRef type);
  void placeShared(Value pointer, int64_t offset);
  std::string sharedPointer(Value pointer, StringRef type);

  gpu::GPUFuncOp kernel;
  const mamba::Artifact &artifact;
  const mamba::LaunchSpec &launch;
  std::string name;
  Prelude &prelude;

  Names names;
  DenseMap<Value, Expression> values;
  /// The variables that values are computed into: a branch's results.
  DenseMap<Value, std::string> targets;
  /// Addresses that are written where they are read.
  DenseMap<Value, Place> places;
  /// What values loaded through a pointer are called.
  DenseMap<Value, std::string> stems;
  /// Byte offsets of pointers into shared memory that are known.
  DenseMap<Value, int64_t> sharedOffsets;
  /// The names of typed parts of shared memory, by offset and type.
  std::map<std::pair<int64_t, std::string>, std::string> regions;
  std::string body;
  unsigned depth = 1;
};

/// What kernels call the elements of a tensor; a complex one is two of them.
StringRef elementName(mamba::DType type);

/// What a kernel calls an argument if the name is free: `u`, `u_stride_l`,
/// `length`.
std::string argumentName(const mamba::Artifact &artifact,
                         const mamba::KernelArg &arg);

/// `type name`.
std::string declaration(StringRef type, StringRef name);

} // namespace mlir::ssm::cuda

#endif // MAMBA_CODEGEN_CUDA_KERNELWRITER_H
