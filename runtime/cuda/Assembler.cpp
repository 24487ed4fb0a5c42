//===- Assembler.cpp - PTX to machine code without a GPU ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Assembler.h"

#include "runtime/Warning.h"

#include <fmt/format.h>

namespace mamba::cuda {

namespace {

/// Why there is no code at all, if it is not that the PTX is wrong.
Status neither(const Status &ptxas, const Status &linker) {
  bool isInstalled = ptxas.code() == StatusCode::Unsupported ||
                     linker.code() == StatusCode::Unsupported;
  return Status(isInstalled ? StatusCode::Unsupported : StatusCode::NotFound,
                fmt::format("{}\nIn its place, nvJitLink can't do it: {}",
                            ptxas.message(), linker.message()));
}

} // namespace

const Assembler &Assembler::get() {
  static const auto *assembler =
      new Assembler(Ptxas::get(), [] { return NvJitLink::get(); });
  return *assembler;
}

Result<std::string>
Assembler::assembleByLinker(std::string_view ptx, const std::string &name,
                            std::string_view target,
                            const Status &withoutPtxas) const {
  Result<const NvJitLink *> linker = openLinker_();
  if (!linker.ok())
    return neither(withoutPtxas, linker.status());
  Result<std::string> cubin = (*linker)->assemble(ptx, name, target);
  if (cubin.code() == StatusCode::Unsupported)
    return neither(withoutPtxas, cubin.status());
  if (cubin.ok())
    std::call_once(warned_, [&] {
      warn(fmt::format("machine code is made by {}, whose kernels can be much "
                       "slower than those of ptxas: {}",
                       (*linker)->version(), withoutPtxas.message()));
    });
  return cubin;
}

Result<std::string> Assembler::assemble(std::string_view ptx,
                                        const std::string &name,
                                        std::string_view target) const {
  if (!ptxas_.ok())
    return assembleByLinker(ptx, name, target, ptxas_.status());
  Result<std::string> cubin = (*ptxas_)->assemble(ptx, name, target);
  if (cubin.code() == StatusCode::Unsupported)
    return assembleByLinker(ptx, name, target, cubin.status());
  return cubin;
}

} // namespace mamba::cuda
