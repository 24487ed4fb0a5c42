//===- RunProgramTest.cpp - Another program, from memory to memory --------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What programs read, write and end with, in processes whose streams and
// signals are not the usual ones.
//
//===----------------------------------------------------------------------===//

#include "runtime/RunProgram.h"

#include "runtime/FileIO.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

using namespace mamba;

namespace {

Result<ProgramEnd> runShell(std::string script, std::string_view input = {}) {
  std::string arguments[] = {"-c", std::move(script)};
  return runProgram("/bin/sh", arguments, input);
}

TEST(RunProgram, StreamsAreFiles) {
  // More than a pipe holds, in both directions.
  std::string input(1 << 20, 'x');
  for (const char *script :
       {"cat; echo said >&2", "cat /dev/stdin > /dev/stdout; echo said >&2"}) {
    Result<ProgramEnd> end = runShell(script, input);
    ASSERT_TRUE(end.ok()) << end.status().message();
    EXPECT_EQ(end->failure, "");
    EXPECT_TRUE(end->output == input);
    EXPECT_EQ(end->errors, "said\n");
  }
}

TEST(RunProgram, ArgumentsAreNotRead) {
  std::string arguments[] = {"$HOME;", "`id`", "a  b", ""};
  Result<ProgramEnd> end = runProgram("/bin/echo", arguments);
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->output, "$HOME; `id` a  b \n");
}

TEST(RunProgram, FailuresSayHowItEnded) {
  Result<ProgramEnd> end = runShell("echo part; exit 3");
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->failure, "exit status 3");
  EXPECT_EQ(end->output, "part\n");
  end = runShell("kill -9 $$");
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->failure, "signal 9 (Killed)");
}

TEST(RunProgram, WhatCannotBeRunIsNamed) {
  Status status = runProgram("/nonexistent/program", {}).status();
  EXPECT_EQ(status.code(), StatusCode::NotFound);
  EXPECT_EQ(status.message(),
            "cannot run '/nonexistent/program': No such file or directory");
  EXPECT_EQ(runProgram("/", {}).code(), StatusCode::IoError);
  // No name without a folder is looked for in $PATH.
  EXPECT_EQ(runProgram("sh", {}).code(), StatusCode::NotFound);
}

size_t numDescriptors() {
  std::filesystem::directory_iterator open("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(open), end(open)));
}

TEST(RunProgram, DescriptorsDoNotLeak) {
  size_t before = numDescriptors();
  ASSERT_TRUE(runShell("true").ok());
  ASSERT_FALSE(runProgram("/nonexistent/program", {}).ok());
  EXPECT_EQ(numDescriptors(), before);
  // Nor into the program, which has them as its streams.
  Result<ProgramEnd> end = runShell("ls -l /proc/self/fd | grep -c memfd:");
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->output, "2\n");
}

TEST(RunProgram, ProcessesWithoutStreamsHaveThemToo) {
  FileDescriptor kept[3];
  for (int stream : {0, 1, 2}) {
    kept[stream] = FileDescriptor(::fcntl(stream, F_DUPFD_CLOEXEC, 10));
    ::close(stream);
  }
  Result<ProgramEnd> end = runShell("cat; echo said >&2", "read");
  for (int stream : {0, 1, 2})
    ::dup2(kept[stream].get(), stream);
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->output, "read");
  EXPECT_EQ(end->errors, "said\n");
}

TEST(RunProgram, SignalsDoNotEndTheWait) {
  struct sigaction interrupt = {}, before = {};
  interrupt.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &interrupt, &before);
  itimerval often = {{0, 10000}, {0, 10000}}, never = {};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  Result<ProgramEnd> end = runShell("sleep 0.2; echo done");
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->output, "done\n");
}

TEST(RunProgram, AnUnknownEndIsAnError) {
  auto *before = ::signal(SIGCHLD, SIG_IGN);
  Status status = runShell("echo done").status();
  ::signal(SIGCHLD, before);
  EXPECT_EQ(status.code(), StatusCode::IoError);
  for (const char *text : {"'/bin/sh'", "SIGCHLD"})
    EXPECT_NE(status.message().find(text), std::string::npos)
        << status.message();
}

} // namespace
