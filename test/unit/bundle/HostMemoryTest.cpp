//===- HostMemoryTest.cpp - A host that runs out of memory ----------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every allocation of a program that uses the loader fails once. A compiler
// that runs out of memory ends the process, as LLVM does; C programs that
// launch exported kernels get a status.
//
//===----------------------------------------------------------------------===//

#include "runtime/loader/mamba_loader.h"

#include "test/unit/Sanitized.h"
#include "test/unit/bundle/TestBundle.h"
#include "test/unit/runtime/fakecuda/UseFakeCuda.h"

#include <cstdlib>
#include <new>
#include <sys/wait.h>
#include <unistd.h>

using namespace mamba;
using namespace mamba::test;

namespace {

/// Counts the allocations of this thread, outside of the fake driver.
struct Injection {
  int64_t untilFailure = 0; ///< 0: none fails.
  int64_t live = 0;
};

thread_local Injection injection;
/// Set before anything fails: finding it allocates.
bool (*inDriver)() = nullptr;

bool isInDriver() { return inDriver && inDriver(); }

bool allocationFails() {
  return injection.untilFailure > 0 && !isInDriver() &&
         --injection.untilFailure == 0;
}

[[maybe_unused]] void *allocate(size_t bytes) {
  if (allocationFails())
    return nullptr;
  injection.live += !isInDriver();
  return std::malloc(bytes ? bytes : 1);
}

[[maybe_unused]] void release(void *block) {
  injection.live -= block && !isInDriver();
  std::free(block);
}

} // namespace

#ifndef MAMBA_TEST_SANITIZED
void *operator new(size_t bytes) {
  if (void *block = allocate(bytes))
    return block;
  throw std::bad_alloc();
}
void *operator new(size_t bytes, const std::nothrow_t &) noexcept {
  return allocate(bytes);
}
void operator delete(void *block) noexcept { release(block); }
void operator delete(void *block, size_t) noexcept { release(block); }
void operator delete(void *block, const std::nothrow_t &) noexcept {
  release(block);
}
#endif

namespace {

/// A program from its start to its end.
class Program {
public:
  explicit Program(const char *folder) : folder(folder) {}
  ~Program() {
    mamba_free(device, memory);
    mamba_bundle_close(bundle);
    mamba_device_close(device);
  }

  /// Of the first call that fails.
  mamba_status run() {
    mamba_status status = mamba_device_open("cuda:1", &device);
    if (status == MAMBA_OK)
      status = mamba_allocate(device, 1024, &memory);
    if (status == MAMBA_OK)
      status = mamba_bundle_open(folder, nullptr, &bundle);
    return status == MAMBA_OK ? launch() : status;
  }

private:
  mamba_status launch() {
    mamba_tensor tensors[2] = {
        {memory, MAMBA_F32, 2, {2, 9}, {9, 1}},
        {static_cast<char *>(memory) + 512, MAMBA_F32, 1, {2}, {1}}};
    mamba_status status = mamba_prepare(bundle, device, 0, tensors, 2, nullptr);
    if (status == MAMBA_OK)
      status = mamba_launch(bundle, device, 0, tensors, 2, nullptr);
    float sums[2];
    if (status == MAMBA_OK)
      status = mamba_copy_out(device, sums, tensors[1].data, sizeof sums);
    return status;
  }

  const char *folder;
  mamba_device *device = nullptr;
  mamba_bundle *bundle = nullptr;
  void *memory = nullptr;
};

/// Runs a program of which allocation `number` fails; whether there were so
/// many.
bool runFailing(const char *folder, int64_t number, mamba_status &status) {
  injection.untilFailure = number;
  status = Program(folder).run();
  bool failed = injection.untilFailure == 0;
  injection.untilFailure = 0;
  return failed;
}

class HostMemoryTest : public testing::Test {
protected:
  HostMemoryTest() {
    inDriver = fakeFunction<bool()>("mambaFakeCudaRuns");
    fake().failures.clear();
    fake().capturing = false;
    sumBundle().write(folder.path());
    for (const char *file : {"sum.cubin", "sum.ptx"})
      writeBytes(folder.path() / file, kBundlePtx);
  }
  void SetUp() override {
#ifdef MAMBA_TEST_SANITIZED
    GTEST_SKIP() << "the sanitizer owns operator new";
#endif
    // Only some of its allocations would come here.
    if (dlopen("libMambaMLIR.so", RTLD_LAZY | RTLD_NOLOAD))
      GTEST_SKIP() << "the portable build's library has its own C++ library";
  }
  TemporaryFolder folder;
  std::string path = folder.text();
};

TEST_F(HostMemoryTest, EveryAllocationMayFail) {
  ASSERT_EQ(Program(path.c_str()).run(), MAMBA_OK) << mamba_error();
  size_t deviceBlocks = fake().allocations.size();
  int64_t number = 1;
  for (mamba_status status;; ++number) {
    int64_t live = injection.live;
    if (!runFailing(path.c_str(), number, status))
      break; // There are fewer allocations.
    int64_t left = injection.live - live;
    ASSERT_EQ(status, MAMBA_OUT_OF_MEMORY) << number << ": " << mamba_error();
    ASSERT_STREQ(mamba_error(), "host memory ran out") << number;
    ASSERT_EQ(left, 0) << "after allocation " << number;
    ASSERT_EQ(fake().allocations.size(), deviceBlocks) << number;
    ASSERT_EQ(fake().modules, 0) << number;
    ASSERT_EQ(fake().contextDepth, 0) << number;
    ASSERT_EQ(fake().retained, 0) << number;
  }
  EXPECT_GT(number, 100);
  RecordProperty("allocations", std::to_string(number - 1));
  EXPECT_EQ(Program(path.c_str()).run(), MAMBA_OK) << mamba_error();
}

/// In a process of its own: what is set up once must be set up later, where it
/// failed at first.
bool survivesFailure(const char *folder, int64_t number, bool &tooMany) {
  pid_t child = fork();
  if (child == 0) {
    mamba_status status;
    if (!runFailing(folder, number, status))
      _exit(2);
    bool right =
        status == MAMBA_OUT_OF_MEMORY && Program(folder).run() == MAMBA_OK;
    _exit(right ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  tooMany = WIFEXITED(status) && WEXITSTATUS(status) == 2;
  return WIFEXITED(status) && WEXITSTATUS(status) != 1;
}

void failFirstUses(const char *folder) {
  bool tooMany = false, right = true;
  for (int64_t number = 1; right && !tooMany; ++number) {
    right = survivesFailure(folder, number, tooMany);
    if (!right)
      fprintf(stderr, "not after allocation %ld\n", long(number));
  }
  _exit(right ? 0 : 1);
}

TEST_F(HostMemoryTest, TheFirstUseMayFail) {
  // Starts the program anew: in this one, other tests have used the driver.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(failFirstUses(path.c_str()), testing::ExitedWithCode(0), "");
}

} // namespace
