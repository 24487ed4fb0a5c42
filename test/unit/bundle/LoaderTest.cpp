//===- LoaderTest.cpp - Bundles, from disk to launches --------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Through the interface of C, on a libcuda that records launches.
//
//===----------------------------------------------------------------------===//

#include "runtime/loader/mamba_loader.h"

#include "runtime/bundle/Bundle.h"
#include "runtime/cuda/CudaDevice.h"
#include "test/unit/bundle/TestBundle.h"
#include "test/unit/runtime/fakecuda/UseFakeCuda.h"

#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace mamba;
using namespace mamba::test;
namespace fs = std::filesystem;

namespace {

class LoaderTest : public testing::Test {
protected:
  LoaderTest() {
    fake().launches.clear();
    fake().calls.clear();
    fake().failures.clear();
    fake().capturing = false;
    sumBundle().write(folder.path());
    for (const char *file : {"sum.cubin", "sum.ptx"})
      writeBytes(folder.path() / file, kBundlePtx);
    EXPECT_EQ(mamba_device_open("cuda:0", &device), MAMBA_OK) << mamba_error();
    EXPECT_EQ(mamba_allocate(device, 1024, &memory), MAMBA_OK);
    int64_t shape[] = {2, 9}, batch[] = {2};
    char *bytes = static_cast<char *>(memory);
    tensors[0] = mamba_any_f32_2d(asPointer(
        mamba_f32_2d_row_major(reinterpret_cast<float *>(bytes), shape)));
    tensors[1] = mamba_any_f32_1d(asPointer(
        mamba_f32_1d_row_major(reinterpret_cast<float *>(bytes + 512), batch)));
  }
  ~LoaderTest() override {
    mamba_free(device, memory);
    mamba_bundle_close(bundle);
    mamba_device_close(device);
    EXPECT_EQ(fake().violations, 0);
    EXPECT_EQ(fake().modules, 0);
  }

  template <typename T> const T *asPointer(T &&value) {
    static T kept;
    kept = value;
    return &kept;
  }
  mamba_status open(const char *checksum = nullptr) {
    return mamba_bundle_open(folder.text().c_str(), checksum, &bundle);
  }
  mamba_status launch() {
    return mamba_launch(bundle, device, 0, tensors, 2, nullptr);
  }
  void expectError(mamba_status found, mamba_status required,
                   std::initializer_list<const char *> parts) {
    EXPECT_EQ(found, required) << mamba_error();
    for (const char *part : parts)
      EXPECT_NE(std::string(mamba_error()).find(part), std::string::npos)
          << "no '" << part << "' in: " << mamba_error();
  }

  TemporaryFolder folder;
  mamba_device *device = nullptr;
  mamba_bundle *bundle = nullptr;
  void *memory = nullptr;
  mamba_tensor tensors[2];
};

TEST_F(LoaderTest, LaunchesWithTheGridsOfTheExtents) {
  ASSERT_EQ(open(), MAMBA_OK) << mamba_error();
  EXPECT_STREQ(mamba_device_name(device), "cuda:0");
  EXPECT_STREQ(mamba_device_architecture(device), "sm_90");
  EXPECT_EQ(mamba_bundle_find(bundle, "chunked_sum"), 0);
  EXPECT_EQ(mamba_bundle_find(bundle, "scale"), -1);
  ASSERT_EQ(launch(), MAMBA_OK) << mamba_error();
  ASSERT_EQ(fake().launches.size(), 2u);
  const FakeLaunch &chunks = fake().launches[0];
  EXPECT_EQ(chunks.entry, "sum_chunks");
  EXPECT_EQ(chunks.grid, 6u); // 2 * ceil(9 / 4)
  EXPECT_EQ(chunks.block, 128u);
  ASSERT_EQ(chunks.args.size(), 5u);
  EXPECT_EQ(chunks.args[0], reinterpret_cast<int64_t>(memory));
  EXPECT_EQ(chunks.args[1], 9);
  EXPECT_EQ(chunks.args[4], 9);
  EXPECT_EQ(fake().launches[1].grid, 2u);
  // The code is loaded once.
  ASSERT_EQ(launch(), MAMBA_OK);
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 1);
}

TEST_F(LoaderTest, ManyThreadsLoadOnce) {
  ASSERT_EQ(open(), MAMBA_OK);
  std::vector<std::thread> threads;
  for (int i = 0; i < 32; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 20; ++k)
        EXPECT_EQ(launch(), MAMBA_OK);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 1);
  EXPECT_EQ(fake().launches.size(), 2u * 32 * 20);
}

TEST_F(LoaderTest, AChildForkedWhileABundleIsReadIsToldSo) {
  // Reading so many variants takes some time.
  TestBundle made = sumBundle();
  made.target.variants[0].resize(2000, made.target.variants[0][0]);
  made.write(folder.path());
  ASSERT_EQ(open(), MAMBA_OK) << mamba_error();
  std::jthread busy([&] { EXPECT_EQ(launch(), MAMBA_OK) << mamba_error(); });
  usleep(5000);
  pid_t child = fork();
  if (child == 0) {
    alarm(10);
    _exit(launch());
  }
  int state = 0;
  waitpid(child, &state, 0);
  ASSERT_TRUE(WIFEXITED(state));
  EXPECT_EQ(WEXITSTATUS(state), MAMBA_FORKED);
}

TEST_F(LoaderTest, CaptureNeedsPrepare) {
  ASSERT_EQ(open(), MAMBA_OK);
  void *stream = reinterpret_cast<void *>(16);
  fake().capturing = true;
  expectError(mamba_launch(bundle, device, 0, tensors, 2, stream),
              MAMBA_CAPTURE_FORBIDDEN, {"chunked_sum", "prepare()"});
  fake().capturing = false;
  ASSERT_EQ(mamba_prepare(bundle, device, 0, tensors, 2, stream), MAMBA_OK);
  fake().capturing = true;
  EXPECT_EQ(mamba_launch(bundle, device, 0, tensors, 2, stream), MAMBA_OK)
      << mamba_error();
}

TEST_F(LoaderTest, OtherBundlesAreRefused) {
  std::string text = sumBundle().manifestText();
  std::string checksum(manifestChecksum(text));
  ASSERT_EQ(open(checksum.c_str()), MAMBA_OK) << mamba_error();
  mamba_bundle_close(bundle);
  checksum[0] = checksum[0] == '0' ? '1' : '0';
  expectError(open(checksum.c_str()), MAMBA_CORRUPT_DATA,
              {"another one than the program was built for", checksum.c_str(),
               "manifest.json"});
  EXPECT_EQ(bundle, nullptr);
}

TEST_F(LoaderTest, ChangedCodeIsRefused) {
  std::string bad = kBundlePtx;
  bad[bad.size() / 2] ^= 1;
  writeBytes(folder.path() / "sum.cubin", bad);
  ASSERT_EQ(open(), MAMBA_OK);
  // PTX that is whole is no reason to go on.
  expectError(launch(), MAMBA_CORRUPT_DATA,
              {"sum.cubin", "is not what was exported"});
  writeBytes(folder.path() / "sum.cubin", kBundlePtx + "x");
  expectError(launch(), MAMBA_CORRUPT_DATA, {"sum.cubin", "bytes"});
  fs::remove(folder.path() / "sum.cubin");
  expectError(launch(), MAMBA_NOT_FOUND, {"cannot open", "sum.cubin"});
  EXPECT_TRUE(fake().launches.empty());
  writeBytes(folder.path() / "sum.cubin", kBundlePtx);
  EXPECT_EQ(launch(), MAMBA_OK) << mamba_error();
}

TEST_F(LoaderTest, FormsAreTriedInTurn) {
  std::string broken = kBundlePtx + "broken";
  TestBundle made = sumBundle();
  auto &code = made.target.variants[0][0].code;
  code[0] = codeFile(ImageKind::Cubin, "sum.cubin", broken);
  made.write(folder.path());
  writeBytes(folder.path() / "sum.cubin", broken);
  ASSERT_EQ(open(), MAMBA_OK);
  EXPECT_EQ(launch(), MAMBA_OK) << mamba_error();
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 2);
  mamba_bundle_close(bundle);
  // Where none loads, the error has both reasons.
  code[1] = codeFile(ImageKind::Ptx, "sum.ptx", ".version 9.0\n");
  made.write(folder.path());
  writeBytes(folder.path() / "sum.ptx", ".version 9.0\n");
  ASSERT_EQ(open(), MAMBA_OK);
  expectError(launch(), MAMBA_COMPILE_ERROR,
              {"ptxas fake: line 1", "PTX 9.0", "chunked_sum"});
}

TEST_F(LoaderTest, OtherArchitecturesAreRefused) {
  TestBundle made = sumBundle();
  made.target.target = "sm_100";
  made.write(folder.path());
  ASSERT_EQ(open(), MAMBA_OK);
  expectError(launch(), MAMBA_UNSUPPORTED,
              {"for sm_100", "which cuda:0 (sm_90,", "--targets=sm_90"});
}

TEST_F(LoaderTest, BadFoldersAreRefused) {
  expectError(mamba_bundle_open("/nonexistent", nullptr, &bundle),
              MAMBA_NOT_FOUND, {"cannot open the bundle '/nonexistent'"});
  fs::remove(folder.path() / kManifestFile);
  expectError(open(), MAMBA_NOT_FOUND, {"manifest.json"});
  writeBytes(folder.path() / kManifestFile, "PK");
  expectError(open(), MAMBA_CORRUPT_DATA, {"manifest.json", "is no JSON"});
  fs::remove(folder.path() / kManifestFile);
  fs::create_directory(folder.path() / kManifestFile);
  expectError(open(), MAMBA_IO_ERROR, {"manifest.json"});
}

TEST_F(LoaderTest, BadCallsAreRefused) {
  ASSERT_EQ(open(), MAMBA_OK);
  expectError(mamba_launch(bundle, device, 1, tensors, 2, nullptr),
              MAMBA_INVALID_ARGUMENT, {"no function 1: the bundle has 1"});
  expectError(mamba_launch(bundle, device, 0, tensors, 1, nullptr),
              MAMBA_INVALID_ARGUMENT, {"1 tensors given"});
  expectError(mamba_launch(bundle, device, 0, tensors, 1000, nullptr),
              MAMBA_INVALID_ARGUMENT, {"1000 tensors are more"});
  expectError(mamba_launch(bundle, nullptr, 0, tensors, 2, nullptr),
              MAMBA_INVALID_ARGUMENT, {"null"});
  tensors[0].rank = 9;
  expectError(launch(), MAMBA_INVALID_ARGUMENT, {"rank 9, required is 0 to 8"});
  tensors[0].rank = 2;
  tensors[0].dtype = 17;
  expectError(launch(), MAMBA_INVALID_ARGUMENT, {"element type 17"});
  tensors[0].dtype = MAMBA_F16;
  expectError(launch(), MAMBA_INVALID_ARGUMENT,
              {"input 'x' has element type f16; required is f32"});
  tensors[0].dtype = MAMBA_F32;
  int host = 0;
  tensors[0].data = &host;
  expectError(launch(), MAMBA_INVALID_ARGUMENT, {"required is memory of"});
  mamba_device *none = nullptr;
  for (const char *name : {"cpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", ""})
    expectError(mamba_device_open(name, &none), MAMBA_INVALID_ARGUMENT,
                {"a device is called cuda or cuda:<number>"});
  expectError(mamba_device_open("cuda:7", &none), MAMBA_NOT_FOUND,
              {"there is no cuda:7"});
  expectError(mamba_check_abi(MAMBA_LOADER_ABI + 1), MAMBA_UNSUPPORTED,
              {"version 2", "has 1"});
}

TEST_F(LoaderTest, NullIsNoCrash) {
  EXPECT_STREQ(mamba_device_name(nullptr), "");
  EXPECT_STREQ(mamba_device_architecture(nullptr), "");
  EXPECT_EQ(mamba_bundle_find(nullptr, "sum"), -1);
  EXPECT_EQ(mamba_bundle_find(bundle, nullptr), -1);
  mamba_free(nullptr, memory);
  mamba_free(device, nullptr);
  mamba_bundle_close(nullptr);
  mamba_device_close(nullptr);
  float value = 0;
  for (mamba_status status :
       {mamba_synchronize(nullptr), mamba_copy_in(nullptr, memory, &value, 4),
        mamba_copy_in(device, nullptr, &value, 4),
        mamba_copy_in(device, memory, nullptr, 4),
        mamba_copy_out(device, &value, memory, -4),
        mamba_copy_out(device, nullptr, memory, 4),
        mamba_device_open(nullptr, &device),
        mamba_bundle_open(nullptr, nullptr, &bundle),
        mamba_bundle_open("x", nullptr, nullptr)})
    EXPECT_EQ(status, MAMBA_INVALID_ARGUMENT);
  EXPECT_EQ(mamba_copy_out(device, nullptr, nullptr, 0), MAMBA_OK);
}

TEST_F(LoaderTest, DevicesAreShared) {
  mamba_device *again = nullptr;
  int retained = fake().calls["cuDevicePrimaryCtxRetain"];
  ASSERT_EQ(mamba_device_open("cuda", &again), MAMBA_OK);
  EXPECT_EQ(fake().calls["cuDevicePrimaryCtxRetain"], retained);
  ASSERT_EQ(open(), MAMBA_OK);
  ASSERT_EQ(launch(), MAMBA_OK);
  EXPECT_EQ(mamba_launch(bundle, again, 0, tensors, 2, nullptr), MAMBA_OK);
  EXPECT_EQ(fake().calls["cuModuleLoadDataEx"], 1);
  mamba_device_close(again);
}

TEST_F(LoaderTest, ChangedTargetsAreRefused) {
  ASSERT_EQ(open(), MAMBA_OK);
  std::string text = sumBundle().targetText();
  writeBytes(folder.path() / "target.json", text.substr(1));
  expectError(launch(), MAMBA_CORRUPT_DATA, {"target.json", "bytes"});
  text[text.find("128")] = '2';
  writeBytes(folder.path() / "target.json", text);
  expectError(launch(), MAMBA_CORRUPT_DATA,
              {"target.json", "is not what was exported"});
  fs::remove(folder.path() / "target.json");
  expectError(launch(), MAMBA_NOT_FOUND, {"target.json"});
  sumBundle().write(folder.path());
  EXPECT_EQ(launch(), MAMBA_OK) << mamba_error();
}

/// The newest architecture is taken first, and an older one where the newest
/// has no variant for the tensors.
TEST_F(LoaderTest, TargetsAreTriedInTurn) {
  TestBundle made = sumBundle();
  TargetManifest older = made.target;
  older.target = "sm_80";
  older.variants[0][0].code.erase(older.variants[0][0].code.begin());
  for (LaunchSpec &launch : older.variants[0][0].artifact.launches)
    launch.blockSize = 64;
  made.target.variants[0][0].artifact.lengthMultiple = 16;
  made.targetText();
  std::string text = writeTarget(made.manifest, older);
  made.manifest.targets.push_back(
      {"sm_80", {ImageKind::Ptx}, bundleFile("older.json", text)});
  made.write(folder.path());
  writeBytes(folder.path() / "older.json", text);
  ASSERT_EQ(open(), MAMBA_OK);
  ASSERT_EQ(launch(), MAMBA_OK) << mamba_error();
  EXPECT_EQ(fake().launches[0].block, 64u);
  tensors[0].shape[1] = 16;
  tensors[0].strides[0] = 16;
  ASSERT_EQ(launch(), MAMBA_OK) << mamba_error();
  EXPECT_EQ(fake().launches[2].block, 128u);
}

TEST_F(LoaderTest, LinksLeadNowhere) {
  fs::rename(folder.path() / "sum.cubin", folder.path() / "elsewhere");
  fs::create_symlink("elsewhere", folder.path() / "sum.cubin");
  ASSERT_EQ(open(), MAMBA_OK);
  expectError(launch(), MAMBA_IO_ERROR, {"cannot open", "sum.cubin"});
  fs::rename(folder.path() / kManifestFile, folder.path() / "other.json");
  fs::create_symlink("other.json", folder.path() / kManifestFile);
  mamba_bundle_close(bundle);
  expectError(open(), MAMBA_IO_ERROR, {"cannot open", "manifest.json"});
}

TEST_F(LoaderTest, MemoryGoesThereAndBack) {
  float values[] = {1, 2, 3}, back[3] = {};
  ASSERT_EQ(mamba_copy_in(device, memory, values, sizeof values), MAMBA_OK);
  ASSERT_EQ(mamba_copy_out(device, back, memory, sizeof back), MAMBA_OK);
  EXPECT_EQ(back[2], 3.0f);
  EXPECT_EQ(mamba_synchronize(device), MAMBA_OK);
  void *none = nullptr;
  expectError(mamba_allocate(device, 0, &none), MAMBA_INVALID_ARGUMENT,
              {"not positive"});
}

TEST_F(LoaderTest, FromCxxToo) {
  Result<Bundle> opened = Bundle::open(folder.text());
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened->checksum().size(), 64u);
  Result<BundledFunction> sum = opened->function();
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(sum->info().tensors[0].name, "x");
  Status missing = opened->function("mean").status();
  EXPECT_EQ(missing.code(), StatusCode::NotFound);
  EXPECT_NE(missing.message().find("which has chunked_sum"), std::string::npos);
  std::shared_ptr<Device> gpu = *cuda::CudaDevice::open(0);
  std::vector<TensorView> views = {
      TensorView::contiguous(memory, DType::F32, {2, 9}),
      TensorView::contiguous(static_cast<char *>(memory) + 512, DType::F32,
                             {2})};
  EXPECT_TRUE(sum->launch(gpu, views).ok());
  EXPECT_EQ(fake().launches.size(), 2u);
}

} // namespace
