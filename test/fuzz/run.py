#!/usr/bin/env python3
"""Runs every fuzzer for some minutes, and says how far each came.

  run.py --bin build/fuzz/bin [--minutes N] [--jobs N]

A fuzzer begins with the files in seeds/<name>, among them what was found before.
What crashes it, leaks, takes over 10 seconds or 2 GB is kept in the folder that
the message names: make it small with `fuzz-<name> -minimize_crash=1 FILE`, and
put it among the seeds with its fix and a unit test.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def fuzz(program, minutes, output):
    """(name, executions, coverage, what went wrong or None)."""
    name = program.name.removeprefix("fuzz-")
    corpus, found = output / f"corpus-{name}", output / f"found-{name}"
    corpus.mkdir()
    found.mkdir()
    done = subprocess.run(
        [program, f"-max_total_time={int(60 * minutes)}", "-timeout=10",
         "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1",
         f"-artifact_prefix={found}/", corpus, HERE / "seeds" / name],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", check=False)
    runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    coverage = re.findall(r"cov: (\d+)", done.stdout)
    wrong = None
    if done.returncode != 0:
        wrong = f"{done.stdout[-3000:]}\nkept in {found}"
    return (name, int(runs[1]) if runs else 0,
            int(coverage[-1]) if coverage else 0, wrong)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    programs = sorted(arguments.bin.resolve().glob("fuzz-*"))
    if not programs:
        sys.exit(f"error: {arguments.bin} has no fuzz-*: build the preset fuzz")
    output = pathlib.Path(tempfile.mkdtemp(prefix="mamba-fuzz-"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        print(f"{'fuzzer':12} {'executions':>12} {'coverage':>9}")
        for name, runs, coverage, wrong in pool.map(
                lambda program: fuzz(program, arguments.minutes, output),
                programs):
            verdict = "FAILED" if wrong or runs == 0 else ""
            failed += bool(verdict)
            print(f"{name:12} {runs:12,} {coverage:9,} {verdict}", flush=True)
            if verdict:
                print(wrong or "it ran nothing")
    print(f"fuzz: {len(programs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
