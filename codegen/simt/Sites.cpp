//===- Sites.cpp - Watched instructions as data of an object --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simt/Sites.h"

#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace mlir::ssm;
using mamba::simt::Site;

std::string mlir::ssm::textOf(const llvm::Instruction &instruction,
                              llvm::ModuleSlotTracker &slots) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  instruction.print(stream, slots);
  StringRef shown = StringRef(text).split(", !").first;
  return shown.split(" #").first.trim().str();
}

SourcePlace mlir::ssm::placeOf(const llvm::Instruction &instruction) {
  const llvm::DebugLoc &place = instruction.getDebugLoc();
  if (place && place.getLine() != 0)
    return {place->getFilename(), place.getLine(), place.getCol()};
  if (const llvm::DISubprogram *function =
          instruction.getFunction()->getSubprogram())
    return {function->getFilename(), function->getLine(), 0};
  return {};
}

Location mlir::ssm::locationOf(ModuleOp module,
                               const llvm::Instruction &instruction) {
  SourcePlace place = placeOf(instruction);
  if (place.file.empty())
    return module.getLoc();
  return FileLineColLoc::get(module.getContext(), place.file, place.line,
                             place.column);
}

llvm::Constant *SiteTable::string(StringRef text) {
  llvm::Constant *&known = strings[text];
  if (known)
    return known;
  auto *data = llvm::ConstantDataArray::getString(code.getContext(), text);
  auto *global =
      new llvm::GlobalVariable(code, data->getType(), /*isConstant=*/true,
                               llvm::GlobalValue::PrivateLinkage, data, "text");
  global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return known = global;
}

llvm::Constant *SiteTable::add(const llvm::Instruction &instruction,
                               mamba::simt::SiteKind kind,
                               mamba::simt::Space space, int32_t argument,
                               uint64_t alignment) {
  llvm::LLVMContext &context = code.getContext();
  auto *pointer = llvm::PointerType::getUnqual(context);
  SourcePlace place = placeOf(instruction);
  auto number = [&](unsigned bits, uint64_t value) {
    return llvm::ConstantInt::get(context, llvm::APInt(bits, value, false,
                                                       /*implicitTrunc=*/true));
  };
  static_assert(offsetof(Site, file) == 0 && offsetof(Site, text) == 8 &&
                offsetof(Site, line) == 16 && offsetof(Site, column) == 20 &&
                offsetof(Site, argument) == 24 &&
                offsetof(Site, alignment) == 28 && offsetof(Site, kind) == 32 &&
                offsetof(Site, space) == 33 && sizeof(Site) == 40);
  llvm::Constant *file = place.file.empty()
                             ? llvm::ConstantPointerNull::get(pointer)
                             : string(place.file);
  llvm::Constant *fields[] = {file,
                              string(textOf(instruction, slots)),
                              number(32, place.line),
                              number(32, place.column),
                              number(32, static_cast<uint32_t>(argument)),
                              number(32, alignment),
                              number(8, static_cast<uint8_t>(kind)),
                              number(8, static_cast<uint8_t>(space))};
  llvm::Constant *site = llvm::ConstantStruct::getAnon(context, fields);
  return new llvm::GlobalVariable(code, site->getType(), /*isConstant=*/true,
                                  llvm::GlobalValue::PrivateLinkage, site,
                                  "site");
}
