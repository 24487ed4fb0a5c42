#!/usr/bin/env python3
"""Runs every fuzzer for some time, and says how far each came.

  run.py --bin build/asan/bin [--minutes N] [--jobs N] [--seed N] [--output DIR]
         [NAME...]

A fuzzer begins with the files in seeds/<name>, among them what was found before;
those of modules also with the modules of the repository's examples and tests.
What crashes it, leaks, takes over 20 seconds or 2 GB is kept in the folder that
the message names: make it small with `fuzz-<name> -minimize_crash=1 FILE`, and
put it among the seeds with its fix and a test. README.md has the results.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Fuzzers whose inputs are modules as text.
OF_TEXT = {"text", "pipeline"}
# What a module of the repository is run through, in turn.
PIPELINES = ["func.func(ssm-fuse),ssm-simplify-body", "ssm-to-gpu", "ssm-to-cpu",
             "ssm-differentiate,ssm-recompute{every=4},func.func(ssm-fuse)",
             "ssm-schedule,ssm-lower-to-gpu",
             "ssm-schedule{target=cpu},ssm-lower-to-cpu"]

# LLVM's shared libraries are not sanitized: containers that cross between them
# and our code have no annotations.
ENVIRONMENT = {
    "ASAN_OPTIONS": "allow_user_poisoning=0:detect_container_overflow=0:"
                    "allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1"}
# As kToolStackSize in codegen/SourceFile.h.
STACK = 512 << 20


def modules():
    """The modules of the repository's examples and tests, one text each."""
    for folder in ["examples", "test/dialect", "test/passes", "test/codegen"]:
        for path in sorted((ROOT / folder).rglob("*.mlir")):
            yield from re.split(r"^// -----.*\n", path.read_text(), flags=re.M)


def write_modules(name, folder):
    """Writes inputs made of the repository's modules."""
    for i, text in enumerate(modules()):
        if name == "pipeline":
            text = f"// {PIPELINES[i % len(PIPELINES)]}\n{text}"
        (folder / f"module-{i}").write_text(text)


def write_dictionary(path):
    """Writes the words that the repository's modules are made of, for -dict:
    names of ops, attributes and fields, numbers, types."""
    code = re.sub(r"//.*", "", "\n".join(modules()))
    words = set(re.findall(r"#?[a-z]+\.[\w.]+|[a-z_]+(?= ?=)|-?[\d.]+(?:e-?\d+)?|"
                           r"tensor<[^<>]*>|complex<\w+>|[a-z]*\d+(?=>)", code))
    path.write_text("".join(f'"{word}"\n' for word in sorted(words)))


def raise_stack():
    """Gives the process the stack that tools have."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    fits = hard == resource.RLIM_INFINITY or hard >= STACK
    resource.setrlimit(resource.RLIMIT_STACK, (STACK if fits else hard, hard))


def fuzz(program, arguments, output):
    """(name, executions, coverage, seconds that the slowest input took, what
    went wrong or None)."""
    name = program.name.removeprefix("fuzz-")
    corpus, found = output / f"corpus-{name}", output / f"found-{name}"
    corpus.mkdir()
    found.mkdir()
    options = []
    if name in OF_TEXT:
        write_modules(name, corpus)
        write_dictionary(output / f"{name}.dict")
        options.append(f"-dict={output / name}.dict")
    done = subprocess.run(
        [program, f"-max_total_time={max(1, int(60 * arguments.minutes))}",
         f"-seed={arguments.seed}", "-timeout=20",
         "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1",
         f"-artifact_prefix={found}/", *options, corpus, HERE / "seeds" / name],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", check=False, preexec_fn=raise_stack,
        env=os.environ | ENVIRONMENT)
    runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    coverage = re.findall(r"cov: (\d+)", done.stdout)
    slowest = re.search(r"slowest_unit_time_sec: (\d+)", done.stdout)
    wrong = None
    if done.returncode != 0:
        wrong = f"{done.stdout[-6000:]}\nkept in {found}"
    return (name, int(runs[1]) if runs else 0,
            int(coverage[-1]) if coverage else 0,
            int(slowest[1]) if slowest else 0, wrong)


def choose(folder, names):
    """The fuzzers in `folder` that are called `names`; all if there are none."""
    programs = sorted(folder.resolve().glob("fuzz-*"))
    if not programs:
        sys.exit(f"error: {folder} has no fuzz-*: build the target fuzzers of "
                 "the preset asan")
    known = {program.name.removeprefix("fuzz-"): program for program in programs}
    for name in names:
        if name not in known:
            sys.exit(f"error: {folder} has no fuzzer {name}, it has "
                     f"{', '.join(known)}")
    return [known[name] for name in names] or programs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0,
                        help="of what is tried; 0: another one each time")
    parser.add_argument("--output", type=pathlib.Path,
                        help="a new folder for what is found and tried; "
                        "default: a temporary one, which goes if all pass")
    parser.add_argument("names", nargs="*", help="fuzzers; default: all")
    arguments = parser.parse_args()
    programs = choose(arguments.bin, arguments.names)
    output = arguments.output or pathlib.Path(tempfile.mkdtemp(prefix="mamba-fuzz-"))
    output.mkdir(exist_ok=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        print(f"{'fuzzer':12} {'executions':>12} {'coverage':>9} {'slowest':>8}")
        for name, runs, coverage, slowest, wrong in pool.map(
                lambda program: fuzz(program, arguments, output),
                programs):
            verdict = "FAILED" if wrong or runs == 0 else ""
            failed += bool(verdict)
            print(f"{name:12} {runs:12,} {coverage:9,} {slowest:6} s "
                  f"{verdict}", flush=True)
            if verdict:
                print(wrong or "it ran nothing")
    if not failed and not arguments.output:
        shutil.rmtree(output)
    print(f"fuzz: {len(programs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
