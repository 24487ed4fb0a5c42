//===- Kernel.cpp - A kernel function and its operands --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/Kernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::ssm;

using Kind = mamba::KernelArg::Kind;

/// Address spaces of NVPTX.
static constexpr unsigned kGlobal = 1, kShared = 3;

bool mlir::ssm::isUnitExtent(const mamba::DimSpec &dim) {
  return dim.extent == 1;
}

/// A stride that is a constant of the code; an index of 0 has any.
static std::optional<int64_t> knownStride(const LaunchPlan &plan,
                                          unsigned tensor, unsigned dim) {
  mamba::LayoutSpec layout = plan.layout(tensor);
  if (isUnitExtent(plan.tensor(tensor).dims[dim]))
    return 0;
  if (static_cast<int>(dim) == layout.unitDim)
    return 1;
  if (static_cast<int>(dim) == layout.fixedDim)
    return layout.fixedStride;
  return std::nullopt;
}

/// Pointers first, then the strides that nothing else tells, then extents.
static SmallVector<mamba::KernelArg> collectArgs(const LaunchPlan &plan,
                                                 ArrayRef<unsigned> tensors,
                                                 ArrayRef<Axis> axes) {
  SmallVector<mamba::KernelArg> args;
  for (unsigned tensor : tensors)
    args.push_back({Kind::Pointer, static_cast<uint16_t>(tensor), 0});
  for (unsigned tensor : tensors)
    for (size_t dim = 0; dim < plan.tensor(tensor).dims.size(); ++dim)
      if (!knownStride(plan, tensor, dim))
        args.push_back({Kind::Stride, static_cast<uint16_t>(tensor),
                        static_cast<uint16_t>(dim)});
  for (Axis axis : axes)
    args.push_back({Kind::Extent, 0, static_cast<uint16_t>(axis)});
  return args;
}

/// The zero-sized array through which a kernel sees its dynamic shared memory.
static LLVM::GlobalOp getSharedArray(gpu::GPUModuleOp module) {
  constexpr StringLiteral name = "ssm_shared";
  if (auto global = module.lookupSymbol<LLVM::GlobalOp>(name))
    return global;
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  return LLVM::GlobalOp::create(b, module.getLoc(), type, /*isConstant=*/false,
                                LLVM::Linkage::External, name, Attribute(),
                                /*alignment=*/16, kShared);
}

Kernel::Kernel(Emit &e, gpu::GPUModuleOp module, StringRef name,
               const LaunchPlan &plan, ArrayRef<unsigned> tensors,
               int64_t blockSize, ArrayRef<Axis> axes)
    : e(e), plan(plan), blockSize(blockSize),
      args(collectArgs(plan, tensors, axes)) {
  MLIRContext *context = e.getContext();
  auto global = LLVM::LLVMPointerType::get(context, kGlobal);
  SmallVector<Type> types;
  for (const mamba::KernelArg &arg : args)
    types.push_back(arg.kind == Kind::Pointer ? Type(global)
                                              : Type(e.getI64Type()));
  LLVM::GlobalOp array = getSharedArray(module);
  e.setInsertionPointToEnd(module.getBody());
  func = gpu::GPUFuncOp::create(e, name, e.getFunctionType(types, {}));
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), e.getUnitAttr());
  func->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                e.getDenseI32ArrayAttr({static_cast<int32_t>(blockSize)}));
  // Outputs overlap nothing: the runtime refuses launches where they do. What
  // other blocks write to a temporary, no pointer of this one shows.
  for (auto [i, arg] : llvm::enumerate(args))
    if (arg.kind == Kind::Pointer && !plan.isTemporary(arg.index))
      func.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                      e.getUnitAttr());
  e.setInsertionPointToStart(&func.getBody().front());
  sharedBase = LLVM::AddressOfOp::create(e, array);
}

Value Kernel::argument(mamba::KernelArg arg) {
  for (auto [i, known] : llvm::enumerate(args))
    if (known.kind == arg.kind && known.index == arg.index &&
        known.dim == arg.dim)
      return func.getArgument(i);
  llvm_unreachable("every tensor of a kernel is listed when it is created");
}

Value Kernel::pointer(unsigned tensor) {
  return argument({Kind::Pointer, static_cast<uint16_t>(tensor), 0});
}

Value Kernel::stride(unsigned tensor, unsigned dim) {
  if (std::optional<int64_t> known = knownStride(plan, tensor, dim))
    return e.i64(*known);
  return argument({Kind::Stride, static_cast<uint16_t>(tensor),
                   static_cast<uint16_t>(dim)});
}

void Kernel::finish(LaunchPlan &plan, ArrayRef<mamba::GridTerm> grid,
                    const SharedMemory &shared) {
  gpu::ReturnOp::create(e);
  mamba::LaunchSpec launch;
  launch.entry = func.getName().str();
  launch.blockSize = static_cast<uint32_t>(blockSize);
  launch.sharedBytes = static_cast<uint32_t>(shared.size());
  launch.grid.assign(grid.begin(), grid.end());
  launch.args.assign(args.begin(), args.end());
  plan.addLaunch(func, launch);
}
