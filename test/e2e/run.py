#!/usr/bin/env python3
"""End-to-end tests: commands that must succeed, on one device.

Reads test/e2e/*.cases. A line is `name: command`; blank lines and lines that
start with # are skipped. In a command, %device is the device under test,
%examples and %here are the examples' and this folder, %tmp is an empty folder
of the case; tools are found in --bin first. A command passes when it exits
with 0. Commands without %device run only for the device cpu.
"""

import argparse
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77  # The exit status that ctest is told means "skipped".


def read_cases(folder):
    """(name, command) of every line of the folder's .cases files."""
    for path in sorted(folder.glob("*.cases")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            name, colon, command = line.partition(":")
            if not colon or not command.strip():
                sys.exit(f"error: {path}:{number}: found '{line}', required "
                         "'name: command'")
            yield f"{path.stem}/{name.strip()}", command.strip()


def cuda_devices():
    """How many GPUs the driver sees; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def run_case(command, device, environment, timeout):
    """Runs one command; (succeeded, its output)."""
    with tempfile.TemporaryDirectory(prefix="mamba-e2e-") as scratch:
        for key, value in [("%device", device), ("%here", str(HERE)),
                           ("%examples", str(HERE.parent.parent / "examples")),
                           ("%tmp", scratch)]:
            command = command.replace(key, value)
        try:
            done = subprocess.run(
                ["sh", "-c", command], env=environment, timeout=timeout,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace")
        except subprocess.TimeoutExpired:
            return False, f"no end after {timeout} s"
        return done.returncode == 0, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the tools")
    parser.add_argument("--device", default="cpu", help="cpu, simt, cuda:0, ...")
    parser.add_argument("--output", help="write the results as JSON here")
    parser.add_argument("--filter", default="", help="part of the names to run")
    parser.add_argument("--timeout", type=float, default=300, help="seconds")
    parser.add_argument("--require", action="store_true",
                        help="fail, not skip, if the device is missing")
    args = parser.parse_args()

    if args.device.startswith("cuda") and cuda_devices() == 0:
        print(f"{args.device}: no CUDA device is usable here")
        return 1 if args.require else SKIPPED
    cases = [case for case in read_cases(HERE) if args.filter in case[0]
             and (args.device == "cpu" or "%device" in case[1])]
    if not cases and args.require:
        print(f"error: no test ran on {args.device}")
        return 1

    results = []
    with tempfile.TemporaryDirectory(prefix="mamba-cache-") as cache:
        environment = dict(os.environ, XDG_CACHE_HOME=cache)
        environment["PATH"] = args.bin + os.pathsep + os.environ.get("PATH", "")
        for name, command in cases:
            start = time.monotonic()
            passed, output = run_case(command, args.device, environment,
                                      args.timeout)
            seconds = time.monotonic() - start
            outcome = "passed" if passed else "failed"
            print(f"{outcome} {seconds:7.2f} s  {name} [{args.device}]",
                  flush=True)
            if not passed:
                print(f"  {command}\n" + output.rstrip(), flush=True)
            results.append({"name": f"{name} [{args.device}]",
                            "outcome": outcome, "seconds": round(seconds, 3)})
    if args.output:
        pathlib.Path(args.output).write_text(json.dumps(results, indent=1))
    failed = sum(r["outcome"] == "failed" for r in results)
    print(f"{args.device}: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
