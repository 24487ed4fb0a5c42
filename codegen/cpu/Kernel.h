//===- Kernel.h - A CPU kernel's function, arguments and tables -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The frame of every kernel: `func(args: ptr, first: i64, end: i64)` with a
// loop over its tasks, arguments read from `args`, and tables on the stack.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_CPU_KERNEL_H
#define MAMBA_CODEGEN_CPU_KERNEL_H

#include "codegen/LaunchPlan.h"
#include "codegen/cpu/Emit.h"

namespace mlir::ssm::cpu {

/// An array on the stack whose entries are numbers of one type in all lanes,
/// or single numbers. Complex entries are their real parts, then their
/// imaginary parts.
struct Table {
  Value base;
  /// Type of the body's value.
  Type type;
  bool uniform = false;
};

/// A kernel being built.
class Kernel {
public:
  /// Starts kernel `name` in `module`; leaves `e` in the loop over tasks.
  Kernel(Emit &e, ModuleOp module, StringRef name, const LaunchPlan &plan);

  /// Ends the function and registers its launch over `grid`.
  void finish(LaunchPlan &plan, ArrayRef<mamba::GridTerm> grid);

  /// The number of the current task.
  Value task() const { return taskNumber; }
  Value pointer(unsigned tensor);
  /// Stride in elements: a constant where it is known.
  Value stride(unsigned tensor, unsigned dim);
  /// Extent of `axis`, which some tensor of the plan has.
  Value extent(Axis axis);

  /// A table of `entries` numbers of type `type`. Its memory is that of the
  /// function: every task reuses it.
  Table table(Type type, bool uniform, int64_t entries);
  Lanes load(const Table &table, Value entry);
  void store(const Table &table, Value entry, Lanes value);
  /// Address of an element: lane `lane` of part `part` of entry `entry`.
  Value element(const Table &table, Value entry, unsigned part, Value lane);

  /// Bytes of all tables.
  int64_t stackBytes() const { return bytes; }

private:
  Value argument(mamba::KernelArg arg);
  Value row(const Table &table, Value entry, unsigned part);

  Emit &e;
  const LaunchPlan &plan;
  func::FuncOp func;
  /// The loop over tasks; what every task shares goes before it.
  Operation *tasks = nullptr;
  Value taskNumber;
  SmallVector<mamba::KernelArg> args;
  SmallVector<Value> argValues;
  int64_t bytes = 0;
};

} // namespace mlir::ssm::cpu

#endif // MAMBA_CODEGEN_CPU_KERNEL_H
