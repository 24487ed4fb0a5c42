//===- Kernel.h - A kernel function and its operands ------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The frame of every kernel: its arguments, shared memory, and how a block
// and a thread find their place (b, channel tile, chunk; segment, channel) in
// the iteration space.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_GPU_KERNEL_H
#define MAMBA_CODEGEN_GPU_KERNEL_H

#include "codegen/LaunchPlan.h"
#include "codegen/gpu/Emit.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mlir::ssm {

/// Bytes of shared memory a kernel asks for, handed out piece by piece.
class SharedMemory {
public:
  /// Byte offset of `floats` more floats, aligned to 16 bytes.
  int64_t allocate(int64_t floats) {
    int64_t at = bytes;
    bytes += (floats * 4 + 15) / 16 * 16;
    return at;
  }
  int64_t size() const { return bytes; }

private:
  int64_t bytes = 0;
};

/// A kernel being built: its function, arguments and block coordinates.
class Kernel {
public:
  /// Starts kernel `name` in `module`, which reads and writes `tensors`
  /// (numbers in `plan`) and is told the extents of `axes`; leaves `e` in its
  /// body.
  Kernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
         const LaunchPlan &plan, ArrayRef<unsigned> tensors, int64_t blockSize,
         ArrayRef<Axis> axes = {Axis::Length, Axis::Channel});

  /// Ends the function and registers its launch over `grid`.
  void finish(LaunchPlan &plan, ArrayRef<mamba::GridTerm> grid,
              const SharedMemory &shared);

  Value pointer(unsigned tensor);
  /// Stride in elements as i64: a constant where it is known.
  Value stride(unsigned tensor, unsigned dim);
  /// i64 extent of one of the kernel's axes.
  Value extent(Axis axis) {
    return argument(
        {mamba::KernelArg::Kind::Extent, 0, static_cast<uint16_t>(axis)});
  }
  Value length() { return extent(Axis::Length); }
  Value channels() { return extent(Axis::Channel); }
  /// The block's dynamic shared memory, at byte `offset`.
  Value shared(int64_t offset) { return e.offset(sharedBase, offset); }

  gpu::GPUFuncOp function() { return func; }

private:
  Value argument(mamba::KernelArg arg);

  Emit &e;
  const LaunchPlan &plan;
  int64_t blockSize;
  SmallVector<mamba::KernelArg> args;
  gpu::GPUFuncOp func;
  Value sharedBase;
};

/// True where a tensor dimension has a single, static index.
bool isUnitExtent(const mamba::DimSpec &dim);

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_GPU_KERNEL_H
