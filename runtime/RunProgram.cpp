//===- RunProgram.cpp - Another program, from memory to memory ------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Standard streams of the program are files in memory: it never waits for us,
// as it would at a full pipe, and may open /dev/stdin and /dev/stdout by name.
//
//===----------------------------------------------------------------------===//

#include "runtime/RunProgram.h"

#include "runtime/FileIO.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace mamba {

namespace {

constexpr const char *kStreamNames[] = {"standard input", "standard output",
                                        "standard error"};

/// The files that a program gets as its standard streams.
struct Streams {
  FileDescriptor files[3];

  Status open(std::string_view input);
  /// All that was written to a stream.
  Result<std::string> read(int stream) const;
};

/// What the program is told of its streams before it starts.
class FileActions {
public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions &) = delete;
  FileActions &operator=(const FileActions &) = delete;

  /// 0, or the number of an error.
  int give(const Streams &streams);
  const posix_spawn_file_actions_t *get() const { return &actions_; }

private:
  posix_spawn_file_actions_t actions_;
};

Status Streams::open(std::string_view input) {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    FileDescriptor &file = files[stream];
    file = FileDescriptor(::memfd_create(kStreamNames[stream], MFD_CLOEXEC));
    // A process whose own streams are closed gets their numbers. The program's
    // streams would then replace one another.
    if (file.valid() && file.get() <= STDERR_FILENO)
      file = FileDescriptor(
          ::fcntl(file.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!file.valid())
      return errnoStatus("cannot make a file in memory for",
                         kStreamNames[stream]);
  }
  const FileDescriptor &in = files[STDIN_FILENO];
  MAMBA_RETURN_IF_ERROR(
      writeDescriptor(in.get(), input, kStreamNames[STDIN_FILENO]));
  if (::lseek(in.get(), 0, SEEK_SET) != 0)
    return errnoStatus("cannot rewind", kStreamNames[STDIN_FILENO]);
  return Status();
}

Result<std::string> Streams::read(int stream) const {
  // The program moved the place where this descriptor reads, too.
  if (::lseek(files[stream].get(), 0, SEEK_SET) != 0)
    return errnoStatus("cannot rewind", kStreamNames[stream]);
  return readDescriptor(files[stream].get(), kStreamNames[stream]);
}

int FileActions::give(const Streams &streams) {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (int error = ::posix_spawn_file_actions_adddup2(
            &actions_, streams.files[stream].get(), stream))
      return error;
  return 0;
}

Result<pid_t> start(const std::string &path,
                    std::span<const std::string> arguments,
                    const Streams &streams) {
  // posix_spawn() changes none of the strings.
  std::vector<char *> list = {const_cast<char *>(path.c_str())};
  for (const std::string &argument : arguments)
    list.push_back(const_cast<char *>(argument.c_str()));
  list.push_back(nullptr);
  FileActions actions;
  pid_t child = -1;
  errno = actions.give(streams);
  if (errno == 0)
    errno = ::posix_spawn(&child, path.c_str(), actions.get(), nullptr,
                          list.data(), environ);
  if (errno != 0)
    return errnoStatus("cannot run", path);
  return child;
}

/// The wait status; none where the system has forgotten it.
std::optional<int> waitFor(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return std::nullopt;
  return status;
}

/// ProgramEnd::failure.
std::string failureOf(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("signal {} ({})", WTERMSIG(status),
                       ::strsignal(WTERMSIG(status)));
  if (int code = WEXITSTATUS(status))
    return fmt::format("exit status {}", code);
  return "";
}

} // namespace

Result<ProgramEnd> runProgram(const std::string &path,
                              std::span<const std::string> arguments,
                              std::string_view input) {
  Streams streams;
  MAMBA_RETURN_IF_ERROR(streams.open(input));
  MAMBA_ASSIGN_OR_RETURN(pid_t child, start(path, arguments, streams));
  std::optional<int> status = waitFor(child);
  // What such a program wrote may be a part of what it meant to write.
  if (!status)
    return Status(StatusCode::IoError,
                  fmt::format("how '{}' ended is not known, because this "
                              "process ignores SIGCHLD or waits for children "
                              "that it did not start: let it do neither",
                              path));
  ProgramEnd end;
  end.failure = failureOf(*status);
  MAMBA_ASSIGN_OR_RETURN(end.output, streams.read(STDOUT_FILENO));
  MAMBA_ASSIGN_OR_RETURN(end.errors, streams.read(STDERR_FILENO));
  return end;
}

} // namespace mamba
