//===- BytecodeTrial.cpp - Bytecode that its reader survives --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/BytecodeTrial.h"

#include "codegen/Registration.h"
#include "codegen/SourceFile.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/ProgramStack.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;

/// Nothing of what goes wrong is seen or kept: no stack dump, no core.
static void prepareToDie() {
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP})
    std::signal(signal, SIG_DFL);
  if (int null = ::open("/dev/null", O_WRONLY); null >= 0)
    ::dup2(null, STDERR_FILENO);
  rlimit none = {0, 0}, time = {ssm::kBytecodeSeconds, ssm::kBytecodeSeconds};
  ::setrlimit(RLIMIT_CORE, &none);
  ::setrlimit(RLIMIT_CPU, &time);
  // A lock that another thread of the parent held is never released here.
  ::alarm(10 * ssm::kBytecodeSeconds);
}

static void read(StringRef source) {
  DialectRegistry registry;
  ssm::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  // The tool may have been asked to take them.
  context.allowUnregisteredDialects();
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  (void)parseSourceString<ModuleOp>(source, &context);
}

static std::string describe(int signal) {
  if (signal == SIGXCPU || signal == SIGKILL || signal == SIGALRM)
    return "MLIR's reader takes over " + std::to_string(ssm::kBytecodeSeconds) +
           " s for it";
  return std::string("MLIR's reader fails on it (") + ::strsignal(signal) + ")";
}

std::optional<std::string> mlir::ssm::findBytecodeDamage(StringRef source) {
  if (!isBytecode(llvm::MemoryBufferRef(source, "")))
    return std::nullopt;
  const pid_t child = ::fork();
  if (child < 0)
    return std::string("no process to read it in: ") + std::strerror(errno);
  if (child == 0) {
    prepareToDie();
    llvm::runOnNewStack(kToolStackSize, [&] { read(source); });
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    // Without a status there is nothing to say: a program may reap all
    // children.
    if (errno != EINTR)
      return std::nullopt;
  if (!WIFSIGNALED(status))
    return std::nullopt;
  return "damaged bytecode: " + describe(WTERMSIG(status)) +
         "; write the file again, or use the module's text";
}
