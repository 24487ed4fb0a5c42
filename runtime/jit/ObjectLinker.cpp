//===- ObjectLinker.cpp - Links compiled kernels into the process ---------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/ObjectLinker.h"

#include "codegen/cpu/CompileCpu.h"

#include "llvm/ExecutionEngine/Orc/Core.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"

using namespace llvm;
using namespace llvm::orc;

namespace mamba {

/// An LLVM error as a status. `what` says what failed.
static Status toStatus(Error error, const Twine &what) {
  return Status(StatusCode::CompileError,
                (what + ": " + toString(std::move(error))).str());
}

namespace {

/// One session serves all objects; each has a library of its own in it, so
/// that two objects may define the same names.
class Session {
public:
  explicit Session(std::unique_ptr<ExecutorProcessControl> process)
      : session(std::move(process)), layer(session) {
    // Errors come back from the call that caused them.
    session.setErrorReporter(
        [](Error error) { consumeError(std::move(error)); });
  }
  ~Session() { consumeError(session.endSession()); }

  ExecutionSession session;
  ObjectLinkingLayer layer;
  std::atomic<uint64_t> counter = 0;
};

class LinkedObject : public LoadedObject {
public:
  LinkedObject(std::shared_ptr<Session> owner, JITDylib &library)
      : owner(std::move(owner)), library(library) {}
  ~LinkedObject() override {
    consumeError(owner->session.removeJITDylib(library));
  }

  Result<CpuEntry> lookup(const std::string &entry) override {
    Expected<ExecutorSymbolDef> symbol =
        owner->session.lookup({&library}, owner->session.intern(entry));
    if (symbol)
      return symbol->getAddress().toPtr<CpuEntry>();
    Error error = symbol.takeError();
    StatusCode code = error.isA<SymbolsNotFound>() ? StatusCode::NotFound
                                                   : StatusCode::CompileError;
    return Status(code, "cannot link entry '" + entry +
                            "': " + toString(std::move(error)));
  }

private:
  std::shared_ptr<Session> owner;
  JITDylib &library;
};

class ObjectLinker : public ObjectLoader {
public:
  explicit ObjectLinker(std::unique_ptr<ExecutorProcessControl> process)
      : session(std::make_shared<Session>(std::move(process))),
        hostTarget(mlir::ssm::ObjectTarget::host().name()) {}

  Result<std::shared_ptr<LoadedObject>> load(std::string_view image) override;
  std::string target() const override { return hostTarget; }

private:
  std::shared_ptr<Session> session;
  std::string hostTarget;
};

} // namespace

Result<std::shared_ptr<LoadedObject>>
ObjectLinker::load(std::string_view image) {
  ExecutionSession &orc = session->session;
  std::string name = "object-" + std::to_string(session->counter++);
  JITDylib &library = orc.createBareJITDylib(name);
  auto object = std::make_shared<LinkedObject>(session, library);
  // Kernels are ELF; their global names have no prefix.
  auto process = DynamicLibrarySearchGenerator::GetForCurrentProcess(
      /*GlobalPrefix=*/'\0');
  if (!process)
    return toStatus(process.takeError(),
                    "cannot look up this process's symbols");
  library.addGenerator(std::move(*process));
  auto bytes = MemoryBuffer::getMemBufferCopy(
      StringRef(image.data(), image.size()), name);
  if (Error error = session->layer.add(library, std::move(bytes)))
    return toStatus(std::move(error), "cannot link a kernel's object");
  return std::shared_ptr<LoadedObject>(std::move(object));
}

Result<std::shared_ptr<ObjectLoader>> createObjectLinker() {
  // Linking happens in the calling thread: no thread of ours to outlive a fork.
  auto process = SelfExecutorProcessControl::Create(
      nullptr, std::make_unique<InPlaceTaskDispatcher>());
  if (!process)
    return toStatus(process.takeError(), "cannot start the object linker");
  return std::shared_ptr<ObjectLoader>(
      std::make_shared<ObjectLinker>(std::move(*process)));
}

Status registerObjectLinker() {
  static const Status status = [] {
    Result<std::shared_ptr<ObjectLoader>> linker = createObjectLinker();
    if (!linker)
      return linker.status();
    registerObjectLoader(*linker);
    return Status::success();
  }();
  return status;
}

} // namespace mamba
