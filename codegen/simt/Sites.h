//===- Sites.h - Watched instructions as data of an object ------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The simulator can name an instruction and its place only if the object says
// them.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_CODEGEN_SIMT_SITES_H
#define MAMBA_CODEGEN_SIMT_SITES_H

#include "runtime/simt/Abi.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/ModuleSlotTracker.h"

namespace mlir::ssm {

/// `instruction` as LLVM prints it, without metadata.
std::string textOf(const llvm::Instruction &instruction,
                   llvm::ModuleSlotTracker &slots);

/// A place in the source.
struct SourcePlace {
  StringRef file; ///< Empty: unknown.
  unsigned line = 0;
  unsigned column = 0;
};

/// Where `instruction` comes from; that of its function, without a column,
/// where optimization joined instructions of several places.
SourcePlace placeOf(const llvm::Instruction &instruction);

/// The same as a location; that of `module` where it is not known.
Location locationOf(ModuleOp module, const llvm::Instruction &instruction);

/// Makes the Site constants of a module.
class SiteTable {
public:
  explicit SiteTable(llvm::Module &code)
      : code(code), slots(&code, /*ShouldInitializeAllMetadata=*/false) {}

  /// Before sites of `function`, as its instructions are numbered now.
  void enter(const llvm::Function &function) {
    slots.incorporateFunction(function);
  }

  /// A site for `instruction`, which requires `alignment` of an address in
  /// `space` that comes from argument `argument`.
  llvm::Constant *add(const llvm::Instruction &instruction,
                      mamba::simt::SiteKind kind, mamba::simt::Space space,
                      int32_t argument, uint64_t alignment);

private:
  llvm::Constant *string(StringRef text);

  llvm::Module &code;
  llvm::ModuleSlotTracker slots;
  llvm::StringMap<llvm::Constant *> strings;
};

} // namespace mlir::ssm

#endif // MAMBA_CODEGEN_SIMT_SITES_H
