//===- Kernel.cpp - A CPU kernel's function, arguments and tables ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ssm;
using namespace mlir::ssm::cpu;

Kernel::Kernel(Emit &e, ModuleOp module, StringRef name, const LaunchPlan &plan)
    : e(e), plan(plan) {
  Type pointer = LLVM::LLVMPointerType::get(e.getContext());
  Type i64 = e.getI64Type();
  e.setInsertionPointToEnd(module.getBody());
  func = func::FuncOp::create(
      e, name, e.getFunctionType({pointer, i64, i64}, TypeRange()));
  Block *entry = func.addEntryBlock();
  e.setInsertionPointToStart(entry);
  auto loop =
      scf::ForOp::create(e, func.getArgument(1), func.getArgument(2), e.i64(1));
  func::ReturnOp::create(e);
  tasks = loop;
  taskNumber = loop.getInductionVar();
  e.setInsertionPoint(loop.getBody()->getTerminator());
}

void Kernel::finish(LaunchPlan &plan, ArrayRef<mamba::GridTerm> grid) {
  mamba::LaunchSpec launch;
  launch.entry = func.getName().str();
  launch.grid.assign(grid.begin(), grid.end());
  launch.args.assign(args.begin(), args.end());
  plan.addLaunch(func, launch);
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

Value Kernel::argument(mamba::KernelArg arg) {
  for (auto [i, known] : llvm::enumerate(args))
    if (known.kind == arg.kind && known.index == arg.index &&
        known.dim == arg.dim)
      return argValues[i];
  OpBuilder::InsertionGuard guard(e);
  e.setInsertionPoint(tasks);
  Value slot =
      e.address(func.getArgument(0), e.i64(args.size()), e.getI64Type());
  Type type = arg.kind == mamba::KernelArg::Kind::Pointer
                  ? slot.getType()
                  : Type(e.getI64Type());
  args.push_back(arg);
  argValues.push_back(LLVM::LoadOp::create(e, type, slot, /*alignment=*/8));
  return argValues.back();
}

Value Kernel::pointer(unsigned tensor) {
  return argument(
      {mamba::KernelArg::Kind::Pointer, static_cast<uint16_t>(tensor), 0});
}

Value Kernel::stride(unsigned tensor, unsigned dim) {
  if (plan.tensor(tensor).dims[dim].extent == 1)
    return e.i64(0);
  if (plan.layout(tensor).unitDim == static_cast<int64_t>(dim))
    return e.i64(1);
  return argument({mamba::KernelArg::Kind::Stride,
                   static_cast<uint16_t>(tensor), static_cast<uint16_t>(dim)});
}

Value Kernel::extent(Axis axis) {
  return argument({mamba::KernelArg::Kind::Extent, 0,
                   static_cast<uint16_t>(runtimeAxis(axis))});
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Memory holds an index as i64.
static Type storedType(Emit &e, Type type) {
  return type.isIndex() ? e.getI64Type() : wordType(type);
}

Table Kernel::table(Type type, bool uniform, int64_t entries) {
  OpBuilder::InsertionGuard guard(e);
  e.setInsertionPoint(tasks);
  Type stored = storedType(e, type);
  int64_t lanes = uniform ? 1 : e.width;
  int64_t count = entries * wordCount(type) * lanes;
  bytes += count * std::max(1u, stored.getIntOrFloatBitWidth() / 8);
  Value base = LLVM::AllocaOp::create(
      e, LLVM::LLVMPointerType::get(e.getContext()), stored, e.i64(count),
      /*alignment=*/64);
  return {base, type, uniform};
}

Value Kernel::row(const Table &table, Value entry, unsigned part) {
  int64_t lanes = table.uniform ? 1 : e.width;
  int64_t words = wordCount(table.type);
  Value at = e.mul(entry, words * lanes);
  return part ? e.add(at, e.i64(part * lanes)) : at;
}

Value Kernel::element(const Table &table, Value entry, unsigned part,
                      Value lane) {
  return e.add(row(table, entry, part), lane);
}

Lanes Kernel::load(const Table &table, Value entry) {
  Type stored = storedType(e, table.type);
  auto word = [&](unsigned part) -> Value {
    Type held = table.uniform ? stored : Type(e.vectorOf(stored));
    Value value = e.load(held, table.base, row(table, entry, part));
    if (!table.type.isIndex())
      return value;
    Type index = table.uniform ? table.type : Type(e.vectorOf(table.type));
    return arith::IndexCastOp::create(e, index, value);
  };
  Lanes lanes{word(0), nullptr};
  if (isa<ComplexType>(table.type))
    lanes.im = word(1);
  return lanes;
}

void Kernel::store(const Table &table, Value entry, Lanes value) {
  if (!table.uniform)
    value = e.widen(value);
  auto word = [&](unsigned part, Value held) {
    if (table.type.isIndex()) {
      Type i64 = e.getI64Type();
      held = arith::IndexCastOp::create(
          e, table.uniform ? i64 : Type(e.vectorOf(i64)), held);
    }
    e.store(held, table.base, row(table, entry, part));
  };
  word(0, value.re);
  if (value.isComplex())
    word(1, value.im);
}
