//===- FakeCuda.cpp - A libcuda without a GPU -----------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A module's entries are what follows ".entry " in its text. Real PTX declares
// their parameters; in a test's, "// args N" tells how many each has. Each
// function counts its calls and can be told to fail.
//
//===----------------------------------------------------------------------===//

#include "test/unit/runtime/fakecuda/FakeCuda.h"

#include "runtime/cuda/Types.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unistd.h>

using namespace mamba::cuda;
using mamba::test::FakeCudaState;

namespace {

struct FakeModule {
  std::string text;
  CUcontext context;
};

struct FakeFunction {
  std::string name;
  size_t numArgs;
  CUcontext context;
};

/// Contexts are numbers, 1 more than the ordinal; the stack is of this thread.
thread_local std::vector<CUcontext> contexts;

CUcontext currentContext() {
  return contexts.empty() ? nullptr : contexts.back();
}

/// Held during every call. Never destroyed: devices may be closed at exit.
std::mutex &callMutex() {
  static auto *mutex = new std::mutex;
  return *mutex;
}

FakeCudaState &state() { return *mambaFakeCudaState(); }

thread_local bool insideCall = false;

/// One call: no other runs meanwhile.
class Call {
public:
  Call() : lock(callMutex()) { insideCall = true; }
  ~Call() { insideCall = false; }

private:
  std::lock_guard<std::mutex> lock;
};

/// What the call has to return before it does anything; success: it goes on.
CUresult enter(const char *name, bool needsContext = true) {
  ++state().calls[name];
  if (needsContext && contexts.empty())
    ++state().violations;
  auto failure = state().failures.find(name);
  if (failure != state().failures.end())
    return CUresult(failure->second);
  return needsContext ? CUresult(state().contextLost) : CUDA_SUCCESS;
}

/// The same for what may find no memory.
CUresult enterAllocating(const char *name, bool needsContext = true) {
  if (state().failingCall > 0 && --state().failingCall == 0) {
    state().failedCall = name;
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  return enter(name, needsContext);
}

#define ENTER(...)                                                             \
  Call call;                                                                   \
  if (CUresult failed = enterAllocating(__func__ __VA_OPT__(, ) __VA_ARGS__))  \
    return failed;

/// For calls that need no memory. Those that give something back do so whatever
/// they return.
#define ENTER_FRUGAL(...)                                                      \
  Call call;                                                                   \
  CUresult result = enter(__func__ __VA_OPT__(, ) __VA_ARGS__);

int currentOrdinal() {
  CUcontext current = currentContext();
  return current ? static_cast<int>(reinterpret_cast<uintptr_t>(current)) - 1
                 : 0;
}

/// The ordinal lies in the allocation's first bytes' address range: kept aside.
std::map<uintptr_t, int> &ordinals() {
  static std::map<uintptr_t, int> map;
  return map;
}

/// Handles are told apart by address and hold nothing; leaks are seen.
template <typename Handle> CUresult makeHandle(Handle *handle) {
  *handle = reinterpret_cast<Handle>(new char);
  ++state().handles;
  return CUDA_SUCCESS;
}

template <typename Handle> void destroyHandle(Handle handle) {
  delete reinterpret_cast<char *>(handle);
  --state().handles;
}

/// The end of the entry's name, or npos.
size_t findEntry(const std::string &text, const std::string &name) {
  for (const char *end : {"\n", "("}) {
    size_t found = text.find(".entry " + name + end);
    if (found != std::string::npos)
      return text.find(end, found);
  }
  return std::string::npos;
}

size_t countArgs(const std::string &text, size_t entry) {
  if (size_t args = text.find("// args "); args != std::string::npos)
    return size_t(std::atoi(text.c_str() + args + 8));
  size_t count = 0, end = text.find(')', entry);
  for (size_t at = text.find(".param", entry); at < end;
       at = text.find(".param", at + 1))
    ++count;
  return count;
}

} // namespace

extern "C" {

FakeCudaState *mambaFakeCudaState() {
  static FakeCudaState instance;
  return &instance;
}

bool mambaFakeCudaRuns() { return insideCall; }

CUresult cuInit(unsigned) {
  ENTER(false)
  static pid_t initializedBy = 0;
  if (!initializedBy)
    initializedBy = getpid();
  return initializedBy == getpid() ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}

CUresult cuDriverGetVersion(int *version) {
  ENTER(false)
  *version = state().driverVersion;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult error, const char **name) {
  *name = error == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == CUDA_ERROR_UNSUPPORTED_PTX_VERSION
              ? "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"
              : "CUDA_ERROR_FAKE";
  return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult, const char **text) {
  *text = "a fake error";
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count) {
  ENTER(false)
  *count = state().deviceCount;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  ENTER(false)
  *device = ordinal;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int bytes, CUdevice) {
  ENTER(false)
  std::strncpy(name, "Fake H100", static_cast<size_t>(bytes));
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute,
                              CUdevice) {
  ENTER(false)
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    *value = 1024;
    break;
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
    *value = 0x7FFFFFFF;
    break;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    *value = 132;
    break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    *value = 9;
    break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    *value = 0;
    break;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
    *value = 232448;
    break;
  default:
    *value = 32;
  }
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice) {
  ENTER(false)
  *bytes = size_t(80) << 30;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  ENTER(false)
  ++state().retained;
  *context = reinterpret_cast<CUcontext>(uintptr_t(device) + 1);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice) {
  ENTER_FRUGAL(false)
  --state().retained;
  return result;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
  ENTER_FRUGAL(false)
  if (result)
    return result;
  contexts.push_back(context);
  ++state().contextDepth;
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext *context) {
  ENTER_FRUGAL(false)
  if (contexts.empty()) {
    ++state().violations;
    return CUDA_ERROR_INVALID_VALUE;
  }
  *context = contexts.back();
  contexts.pop_back();
  --state().contextDepth;
  return result;
}

CUresult cuCtxSynchronize() {
  ENTER()
  return CUDA_SUCCESS;
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image,
                            unsigned numOptions, CUjit_option *options,
                            void **values) {
  ENTER()
  auto *text = static_cast<const char *>(image);
  const char *version = std::strstr(text, ".version ");
  int ptx = version ? 10 * std::atoi(version + 9) + std::atoi(version + 11) : 0;
  if (ptx > state().maxPtx || std::strstr(text, "broken")) {
    for (unsigned i = 0; i < numOptions; ++i)
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        std::strcpy(static_cast<char *>(values[i]), "ptxas fake: line 1");
    return ptx > state().maxPtx ? CUDA_ERROR_UNSUPPORTED_PTX_VERSION
                                : CUDA_ERROR_INVALID_PTX;
  }
  ++state().modules;
  *module = reinterpret_cast<CUmodule>(new FakeModule{text, currentContext()});
  return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule module) {
  ENTER_FRUGAL()
  auto *fake = reinterpret_cast<FakeModule *>(module);
  if (fake->context != currentContext())
    ++state().violations;
  --state().modules;
  delete fake;
  return result;
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module,
                             const char *name) {
  ENTER()
  auto *fake = reinterpret_cast<FakeModule *>(module);
  size_t entry = findEntry(fake->text, name);
  if (entry == std::string::npos)
    return CUDA_ERROR_NOT_FOUND;
  // Never freed, as functions live as long as their module.
  static std::vector<FakeFunction *> *functions =
      new std::vector<FakeFunction *>;
  functions->push_back(
      new FakeFunction{name, countArgs(fake->text, entry), fake->context});
  *function = reinterpret_cast<CUfunction>(functions->back());
  return CUDA_SUCCESS;
}

CUresult cuFuncLoad(CUfunction) {
  ENTER()
  return CUDA_SUCCESS;
}

CUresult cuFuncGetParamInfo(CUfunction function, size_t index, size_t *offset,
                            size_t *size) {
  ENTER()
  if (index >= reinterpret_cast<FakeFunction *>(function)->numArgs)
    return CUDA_ERROR_INVALID_VALUE;
  *offset = 8 * index;
  *size = 8;
  return CUDA_SUCCESS;
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute,
                            CUfunction) {
  ENTER()
  *value = 0;
  if (attribute == CU_FUNC_ATTRIBUTE_NUM_REGS)
    *value = state().registers;
  if (attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK)
    *value = state().maxThreads;
  return CUDA_SUCCESS;
}

CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int value) {
  ENTER()
  state().dynamicSharedLimit = value;
  return CUDA_SUCCESS;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction,
                                                     int, size_t) {
  ENTER()
  *blocks = 8;
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned, unsigned,
                        unsigned blockX, unsigned, unsigned, unsigned shared,
                        CUstream stream, void **parameters, void **) {
  ENTER()
  auto *fake = reinterpret_cast<FakeFunction *>(function);
  if (fake->context != currentContext())
    ++state().violations;
  mamba::test::FakeLaunch launch{
      fake->name, gridX, blockX, shared, stream, currentOrdinal(), {}};
  for (size_t i = 0; i < fake->numArgs; ++i)
    launch.args.push_back(*static_cast<int64_t *>(parameters[i]));
  state().launches.push_back(std::move(launch));
  return CUDA_SUCCESS;
}

CUresult cuMemGetInfo_v2(size_t *free, size_t *total) {
  ENTER()
  *free = *total = size_t(80) << 30;
  for (const auto &[address, bytes] : state().allocations)
    *free -= bytes;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
  ENTER()
  *address = reinterpret_cast<CUdeviceptr>(
      std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  state().allocations[*address] = bytes;
  ordinals()[*address] = currentOrdinal();
  return CUDA_SUCCESS;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  ENTER_FRUGAL()
  if (!state().allocations.erase(address))
    ++state().violations;
  ordinals().erase(address);
  std::free(reinterpret_cast<void *>(address));
  return result;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr target, const void *source,
                              size_t bytes, CUstream) {
  ENTER()
  std::memcpy(reinterpret_cast<void *>(target), source, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoHAsync_v2(void *target, CUdeviceptr source, size_t bytes,
                              CUstream) {
  ENTER()
  std::memcpy(target, reinterpret_cast<void *>(source), bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemsetD8Async(CUdeviceptr target, unsigned char value, size_t bytes,
                         CUstream) {
  ENTER()
  std::memset(reinterpret_cast<void *>(target), value, bytes);
  return CUDA_SUCCESS;
}

CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *attributes,
                                void **values, CUdeviceptr pointer) {
  ENTER()
  auto after = state().allocations.upper_bound(pointer);
  bool known = after != state().allocations.begin() &&
               pointer < std::prev(after)->first + std::prev(after)->second;
  for (unsigned i = 0; i < count; ++i) {
    auto *value = static_cast<int *>(values[i]);
    if (attributes[i] == CU_POINTER_ATTRIBUTE_MEMORY_TYPE)
      *value = known ? CU_MEMORYTYPE_DEVICE : 0;
    else if (attributes[i] == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
      *value = known ? ordinals()[std::prev(after)->first] : -2;
    else
      *value = 0;
  }
  return CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream *stream, unsigned) {
  ENTER()
  return makeHandle(stream);
}

CUresult cuStreamDestroy_v2(CUstream stream) {
  ENTER_FRUGAL()
  destroyHandle(stream);
  return result;
}

CUresult cuStreamSynchronize(CUstream) {
  ENTER()
  return CUDA_SUCCESS;
}

CUresult cuStreamIsCapturing(CUstream, CUstreamCaptureStatus *status) {
  ENTER()
  *status = CUstreamCaptureStatus(state().capturing ? 1 : 0);
  return CUDA_SUCCESS;
}

CUresult cuStreamBeginCapture_v2(CUstream, CUstreamCaptureMode) {
  ENTER()
  state().capturing = true;
  return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream, CUgraph *graph) {
  ENTER_FRUGAL()
  state().capturing = false;
  return result ? result : makeHandle(graph);
}

CUresult cuGraphInstantiateWithFlags(CUgraphExec *graph, CUgraph,
                                     unsigned long long) {
  ENTER()
  return makeHandle(graph);
}

CUresult cuGraphLaunch(CUgraphExec, CUstream) {
  ENTER()
  return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec graph) {
  ENTER_FRUGAL()
  destroyHandle(graph);
  return result;
}

CUresult cuGraphDestroy(CUgraph graph) {
  ENTER_FRUGAL()
  destroyHandle(graph);
  return result;
}

CUresult cuEventCreate(CUevent *event, unsigned) {
  ENTER()
  return makeHandle(event);
}

CUresult cuEventDestroy_v2(CUevent event) {
  ENTER_FRUGAL()
  destroyHandle(event);
  return result;
}

CUresult cuEventRecord(CUevent, CUstream) {
  ENTER()
  return CUDA_SUCCESS;
}

CUresult cuEventSynchronize(CUevent) {
  ENTER()
  return CUDA_SUCCESS;
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent, CUevent) {
  ENTER()
  *milliseconds = 0.5f;
  return CUDA_SUCCESS;
}

} // extern "C"
