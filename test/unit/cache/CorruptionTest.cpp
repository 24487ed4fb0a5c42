//===- CorruptionTest.cpp - Broken entries --------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whatever happens to a file: a miss with one warning, never wrong bytes.
//
//===----------------------------------------------------------------------===//

#include "test/unit/cache/CacheTesting.h"

#include <random>
#include <sys/stat.h>

using namespace mamba;
using namespace mamba::test;

namespace {

class CorruptionTest : public CacheTest {
protected:
  /// Writes an entry and returns its file's bytes.
  std::string makeEntry() {
    Cache(options()).store("key", "the bytes of a compiled kernel");
    return contents(file("key"));
  }
  /// A lookup of a broken file by a new cache.
  void expectMiss() {
    warnings().clear();
    Cache cache(options());
    ASSERT_EQ(cache.lookup("key"), nullptr);
    ASSERT_EQ(warnings().size(), 1u);
    ASSERT_NE(warnings()[0].find(file("key")), std::string::npos);
    ASSERT_FALSE(
        std::filesystem::exists(std::filesystem::symlink_status(file("key"))));
  }
};

TEST_F(CorruptionTest, CutAtEveryByte) {
  std::string bytes = makeEntry();
  for (size_t size = 0; size < bytes.size(); ++size) {
    overwrite(file("key"), bytes.substr(0, size));
    expectMiss();
  }
  overwrite(file("key"), bytes + "x");
  expectMiss();
  overwrite(file("key"), bytes);
  EXPECT_NE(Cache(options()).lookup("key"), nullptr);
}

TEST_F(CorruptionTest, RandomBitFlips) {
  std::string bytes = makeEntry();
  std::mt19937 random(4);
  for (int i = 0; i < 10000; ++i) {
    std::string broken = bytes;
    for (int flips = 1 + int(random() % 3); flips > 0; --flips)
      broken[random() % broken.size()] ^= char(1 << random() % 8);
    if (broken == bytes)
      continue;
    overwrite(file("key"), broken);
    expectMiss();
  }
}

TEST_F(CorruptionTest, AnotherEntrysFile) {
  makeEntry();
  std::filesystem::rename(file("key"), file("other"));
  std::filesystem::rename(file("other"), file("key"));
  EXPECT_NE(Cache(options()).lookup("key"), nullptr);
  std::filesystem::rename(file("key"), file("other"));
  warnings().clear();
  EXPECT_EQ(Cache(options()).lookup("other"), nullptr);
  EXPECT_EQ(warnings().size(), 1u);
}

TEST_F(CorruptionTest, LinksFoldersAndPipes) {
  std::string bytes = makeEntry();
  overwrite(folder + "/target", bytes);
  std::filesystem::remove(file("key"));
  std::filesystem::create_symlink(folder + "/target", file("key"));
  expectMiss();
  EXPECT_TRUE(std::filesystem::exists(folder + "/target"));
  ASSERT_EQ(mkfifo(file("key").c_str(), 0600), 0);
  expectMiss();
}

TEST_F(CorruptionTest, LargerThanTheCache) {
  makeEntry();
  std::filesystem::resize_file(file("key"), uintmax_t(1) << 40);
  expectMiss();
}

TEST_F(CorruptionTest, ForeignFile) {
  if (geteuid() != 0)
    GTEST_SKIP() << "needs root to give a file away";
  makeEntry();
  ASSERT_EQ(chown(file("key").c_str(), 65534, 65534), 0);
  expectMiss();
}

TEST_F(CorruptionTest, IsComputedAnewAndStored) {
  std::string bytes = makeEntry();
  overwrite(file("key"), bytes.substr(0, 40));
  Cache cache(options());
  EXPECT_EQ(**cache.getOrCompute("key", returning("again")), "again");
  EXPECT_EQ(*Cache(options()).lookup("key"), "again");
}

} // namespace
