//===- FolderTest.cpp - Folders that can't be used ------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The cache then works in memory, with one warning that says what to do.
//
//===----------------------------------------------------------------------===//

#include "runtime/Environment.h"
#include "runtime/FileIO.h"
#include "test/unit/cache/CacheTesting.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>

using namespace mamba;
using namespace mamba::test;

namespace {

class FolderTest : public CacheTest {
protected:
  /// The cache of `path` works in memory and warns once.
  void expectMemoryOnly(const std::string &path, const char *reason) {
    warnings().clear();
    Cache cache({path, 1 << 20, 1 << 20});
    int computed = 0;
    for (const char *key : {"a", "b", "a", "b"})
      EXPECT_TRUE(cache.getOrCompute(key, returning("x", &computed)).ok());
    EXPECT_EQ(computed, 2);
    ASSERT_EQ(warnings().size(), 1u);
    EXPECT_NE(warnings()[0].find(reason), std::string::npos) << warnings()[0];
  }
  /// Runs `body` in a child process, whose failures are failures of the test.
  /// kSkipped of it stands for a skipped test.
  template <typename Body> void inChild(Body body) {
    pid_t child = fork();
    if (child == 0) {
      body();
      _exit(testing::Test::IsSkipped()    ? kSkipped
            : testing::Test::HasFailure() ? 1
                                          : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == kSkipped)
      GTEST_SKIP();
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  /// The same without root's rights.
  template <typename Body> void asOrdinaryUser(Body body) {
    if (geteuid() != 0)
      return body();
    ASSERT_EQ(chown(folder.c_str(), 65534, 65534), 0);
    inChild([&] {
      ASSERT_EQ(seteuid(65534), 0);
      body();
    });
  }
  static constexpr int kSkipped = 77;
};

TEST_F(FolderTest, CreatedPrivate) {
  std::string path = folder + "/a/b/mamba-mlir";
  Cache cache({path, 1 << 20, 1 << 20});
  EXPECT_FALSE(std::filesystem::exists(path));
  cache.store("key", "x");
  struct stat facts;
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((path + "/key.entry").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(FolderTest, File) {
  overwrite(folder + "/file", "x");
  expectMemoryOnly(folder + "/file", "cannot open the folder");
  expectMemoryOnly(folder + "/file/below", "/file");
}

TEST_F(FolderTest, SymbolicLink) {
  std::filesystem::create_directory(folder + "/real");
  std::filesystem::create_symlink(folder + "/real", folder + "/link");
  expectMemoryOnly(folder + "/link", "a symbolic link is not followed");
  EXPECT_TRUE(std::filesystem::is_empty(folder + "/real"));
}

TEST_F(FolderTest, WritableByOthers) {
  ASSERT_EQ(chmod(folder.c_str(), 0777), 0);
  expectMemoryOnly(folder, "can be written by others (mode 777): chmod 700");
}

TEST_F(FolderTest, Foreign) {
  if (geteuid() != 0)
    GTEST_SKIP() << "needs root to give a folder away";
  ASSERT_EQ(chown(folder.c_str(), 65534, 65534), 0);
  expectMemoryOnly(folder, "belongs to user 65534");
}

TEST_F(FolderTest, NoneAtAll) {
  Cache cache({"", 1 << 20, 1 << 20});
  EXPECT_EQ(**cache.getOrCompute("key", returning("x")), "x");
  EXPECT_TRUE(warnings().empty());
}

TEST_F(FolderTest, CannotBeCreated) {
  asOrdinaryUser([] {
    warnings().clear();
    Cache cache({"/proc/mamba-mlir", 1 << 20, 1 << 20});
    EXPECT_TRUE(cache.getOrCompute("key", returning("x")).ok());
    EXPECT_EQ(warnings().size(), 1u);
  });
}

TEST_F(FolderTest, ReadOnly) {
  asOrdinaryUser([this] {
    Cache(options()).store("old", "stored before");
    ASSERT_EQ(chmod(folder.c_str(), 0500), 0);
    Cache cache(options());
    EXPECT_EQ(*cache.lookup("old"), "stored before");
    EXPECT_TRUE(warnings().empty());
    EXPECT_EQ(**cache.getOrCompute("a", returning("x")), "x");
    EXPECT_EQ(**cache.getOrCompute("b", returning("y")), "y");
    EXPECT_EQ(*cache.lookup("a"), "x");
    ASSERT_EQ(warnings().size(), 1u);
    EXPECT_NE(warnings()[0].find("Permission denied"), std::string::npos);
    (void)chmod(folder.c_str(), 0700);
  });
}

/// write() fails midway, as on some full disks.
TEST_F(FolderTest, FileSizeLimit) {
  inChild([this] {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    Cache cache(options());
    std::string value(5000, 'x');
    EXPECT_EQ(**cache.getOrCompute("a", returning(value)), value);
    EXPECT_EQ(**cache.getOrCompute("b", returning(value)), value);
    EXPECT_EQ(warnings().size(), 1u);
    EXPECT_EQ(count(".tmp"), 0);
    EXPECT_EQ(count(".entry"), 0);
  });
}

/// Mounts a file system of `bytes` on `folder` that only this process sees.
bool mountSmallDisk(const std::string &folder, int bytes) {
  // Without this, the mount would be seen in the parent too.
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0,
                 fmt::format("size={},mode=0700", bytes).c_str()) == 0;
}

TEST_F(FolderTest, FullDisk) {
  inChild([this] {
    if (!mountSmallDisk(folder, 64 << 10))
      GTEST_SKIP() << "needs the right to mount a file system";
    Cache cache(options());
    std::string value(20000, 'x');
    for (const char *key : {"a", "b", "c", "d", "e"})
      EXPECT_EQ(**cache.getOrCompute(key, returning(value)), value);
    ASSERT_EQ(warnings().size(), 1u);
    EXPECT_NE(warnings()[0].find("No space left on device"), std::string::npos)
        << warnings()[0];
    EXPECT_EQ(count(".tmp"), 0);
    // What found room is there for the next program.
    EXPECT_EQ(*Cache(options()).lookup("a"), value);
    EXPECT_EQ(Cache(options()).lookup("e"), nullptr);
  });
}

/// As in a container that runs as a number which its password file lacks: there
/// is no name, and HOME is "/" or not set.
TEST_F(FolderTest, UserWithoutAName) {
  if (geteuid() != 0)
    GTEST_SKIP() << "needs root to become another user";
  constexpr uid_t kUser = 54321;
  ASSERT_EQ(getpwuid(kUser), nullptr);
  ASSERT_EQ(chown(folder.c_str(), kUser, kUser), 0);
  inChild([&] {
    ASSERT_EQ(setuid(kUser), 0);
    for (const char *name : {"MAMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"})
      unsetenv(name);
    EXPECT_EQ(Environment::read().cacheDir, "");
    setenv("HOME", "/", 1);
    expectMemoryOnly(Environment::read().cacheDir, "Permission denied");
    setenv("MAMBA_CACHE_DIR", folder.c_str(), 1);
    warnings().clear();
    Cache({Environment::read().cacheDir, 1 << 20, 1 << 20}).store("key", "x");
    EXPECT_EQ(*Cache(options()).lookup("key"), "x");
    EXPECT_TRUE(warnings().empty());
  });
}

TEST_F(FolderTest, RemovedWhileInUse) {
  Cache cache(options());
  cache.store("a", "x");
  std::filesystem::remove_all(folder);
  cache.store("b", "y");
  EXPECT_EQ(*Cache(options()).lookup("b"), "y");
  EXPECT_TRUE(warnings().empty());
}

/// A writer that was killed leaves its temporary file, and no lock.
TEST_F(FolderTest, AbandonedTemporaryFilesAreRemoved) {
  overwrite(folder + "/killed.entry.1-0-0.tmp", "x");
  overwrite(folder + "/writing.entry.1-0-0.tmp", "x");
  FileDescriptor writing(
      ::open((folder + "/writing.entry.1-0-0.tmp").c_str(), O_RDWR));
  ASSERT_EQ(::flock(writing.get(), LOCK_EX), 0);
  Cache(options()).store("key", "x");
  EXPECT_FALSE(std::filesystem::exists(folder + "/killed.entry.1-0-0.tmp"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/writing.entry.1-0-0.tmp"));
  ASSERT_TRUE(writing.close());
  Cache(options()).store("key", "x");
  EXPECT_EQ(count(".tmp"), 0);
}

/// What others take for abandoned is never what a writer is about to rename.
TEST_F(FolderTest, WritersKeepTheirTemporaryFiles) {
  FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY));
  std::jthread cleaner([&](std::stop_token stop) {
    while (!stop.stop_requested())
      for (const auto &entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".tmp")
          removeAbandoned(directory.get(), entry.path().filename());
  });
  for (int i = 0; i < 300; ++i) {
    Status status = replaceFile(directory.get(), "file", "bytes", 0600);
    ASSERT_TRUE(status.ok()) << status.toString();
  }
}

} // namespace
