//===- Bytecode.cpp - Reading bytecode that anyone may have written -------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Bytecode.h"

#include "codegen/DiagnosticText.h"
#include "codegen/Registration.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::ssm;

/// Seconds of processor time after which a child is taken to hang: some hundred
/// times what reading a large module takes.
static constexpr rlim_t kSeconds = 2;
/// Time by the clock: a lock that another thread of the parent held while it
/// forked is never released in the child.
static constexpr unsigned kMostSeconds = 20;

/// The last byte that a child sends, behind the module or what is wrong with
/// it. Of a child that died, none arrives.
static constexpr char kModule = '\1', kRefused = '\0';

//===----------------------------------------------------------------------===//
// The child
//===----------------------------------------------------------------------===//

static void sendAsText(StringRef bytecode, StringRef name,
                       llvm::raw_ostream &output) {
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  // The parent refuses them, or was asked not to.
  context.allowUnregisteredDialects();
  DiagnosticText diagnostics(&context);
  auto module =
      parseSourceString<ModuleOp>(bytecode, ParserConfig(&context), name);
  if (module)
    module->print(output,
                  OpPrintingFlags().printGenericOpForm().enableDebugInfo(
                      /*enable=*/true, /*prettyForm=*/false));
  else
    output << diagnostics.text();
  output << (module ? kModule : kRefused);
}

/// What is the parent's own (handlers of signals, buffered output) is left
/// alone, and not run a second time at the end.
[[noreturn]] static void runChild(StringRef bytecode, StringRef name, int to) {
  // MLIR prints why it gives up; the parent says it in words for its user.
  ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
  for (auto [resource, limit] :
       {std::pair(RLIMIT_CPU, kSeconds), {RLIMIT_CORE, rlim_t(0)}}) {
    rlimit own = {limit, limit};
    ::setrlimit(resource, &own);
  }
  for (int number : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM})
    ::signal(number, SIG_DFL);
  ::alarm(kMostSeconds);
  {
    llvm::raw_fd_ostream output(to, /*shouldClose=*/false);
    sendAsText(bytecode, name, output);
    output.flush();
    // A parent that is gone is no error to report.
    output.clear_error();
  }
  ::_exit(0);
}

//===----------------------------------------------------------------------===//
// The parent
//===----------------------------------------------------------------------===//

static std::string readAll(int from) {
  std::string all;
  char buffer[65536];
  ssize_t count;
  while ((count = ::read(from, buffer, sizeof buffer)) > 0 ||
         (count < 0 && errno == EINTR))
    all.append(buffer, static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return all;
}

/// All that a child sends, which reads `bytecode`; IoError where there can be
/// none.
static mamba::Result<std::string> askChild(StringRef bytecode, StringRef name) {
  int ends[2];
  pid_t child = -1;
  if (::pipe2(ends, O_CLOEXEC) == 0 && (child = ::fork()) < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  if (child < 0)
    return mamba::Status(mamba::StatusCode::IoError,
                         (name +
                          ": bytecode is read by a process of its own, "
                          "which can't be started: " +
                          std::strerror(errno))
                             .str());
  if (child == 0)
    runChild(bytecode, name, ends[1]);
  ::close(ends[1]);
  std::string all = readAll(ends[0]);
  ::close(ends[0]);
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR)
    ;
  return all;
}

bool mlir::ssm::isBytecodeText(StringRef source) {
  return mlir::isBytecode(llvm::MemoryBufferRef(source, ""));
}

mamba::Result<std::string> mlir::ssm::textOfBytecode(StringRef bytecode,
                                                     StringRef name) {
  MAMBA_ASSIGN_OR_RETURN(std::string text, askChild(bytecode, name));
  char last = text.empty() ? '?' : text.back();
  if (last == kModule || last == kRefused)
    text.pop_back();
  if (last == kModule)
    return text;
  // The reader may also refuse without a word.
  if (last != kRefused || text.empty())
    text = (name + ":0:0: MLIR's reader of bytecode gave up, so the file is "
                   "damaged or from another version: write it again, or give "
                   "the module as text")
               .str();
  return mamba::Status(mamba::StatusCode::CompileError, std::move(text));
}
