//===- ObjectLinker.h - Links compiled kernels into the process -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime's core knows no LLVM; this is what it needs of it: LLVM's ORC
// links an ELF object into the process. Objects of other programs are refused
// by their format, not by trust: load only what a kernel cache checked.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_JIT_OBJECTLINKER_H
#define MAMBA_RUNTIME_JIT_OBJECTLINKER_H

#include "runtime/ObjectLoader.h"

namespace mamba {

/// A loader that links with ORC. Undefined symbols (libm's functions) are
/// looked up in this process. Objects must be dropped before the process
/// unloads this library.
Result<std::shared_ptr<ObjectLoader>> createObjectLinker();

/// Registers an object linker with the runtime, once a process; later calls
/// only return what the first one did.
Status registerObjectLinker();

} // namespace mamba

#endif // MAMBA_RUNTIME_JIT_OBJECTLINKER_H
