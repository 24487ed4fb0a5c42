"""Runs commands as a user would, and knows a crash when it sees one."""

import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 10
JOBS = 2
NOBODY = 65534
TIMED_OUT = 124  # What timeout(1) exits with.
# Of a process that died: from LLVM, from assert() and from the C++ library.
CRASHES = ["PLEASE submit a bug report", "Stack dump", "Assertion",
           "terminate called", "LLVM ERROR", "Traceback"]


def run_in(folder, command, environment):
    """Runs `command` in `folder`: (exit status or None, stdout, stderr lines)."""
    account = {}
    if command.startswith("nobody "):
        account = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    command = command.removeprefix("nobody ").replace("%here", str(HERE))
    done = subprocess.run(
        ["timeout", str(SECONDS), "sh", "-c", command], cwd=folder,
        env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        check=False, **account)
    said = done.stderr.decode(errors="backslashreplace").rstrip()
    said = said.replace(str(folder) + "/", "").replace(environment["BIN"] + "/", "")
    status = None if done.returncode == TIMED_OUT else done.returncode
    return status, done.stdout, said.splitlines()
