#!/usr/bin/env python3
"""What the tools refuse: each bad input is one clear error, never a crash.

  run.py --bin build/dev/bin [--filter TEXT] [--record]

Runs the commands of *.cases (cases.py has the format). A tool has to exit with
1, say what the case says and where, write no result and leave no file, within
10 seconds; with 0 where its message is a warning. Then damage.py gives the
tools files with random bytes changed. --record replaces messages that differ by
what was said; docs/errors.md is made of them (`make docs`).
"""

import argparse
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import sys
import tempfile
import time

import cases
import commands
import damage
import inputs

# A place in a file, a flag, a name in quotes, a file or an environment variable.
PLACE = re.compile(r":\d+:\d+: |-\w|'[^']*'|[\w/]\w+: |MAMBA_\w+=|@\w|\d files")


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")
            if "cache" not in path.relative_to(folder).parts}


def faults(case, status, output, said, left):
    """What is wrong with how a tool ended, one a line."""
    text = "\n".join(said)
    if status is None:
        yield f"no end after {commands.SECONDS} s"
        return
    wanted = 0 if case.is_warning else 1
    if status != wanted:
        yield f"exit status {status}, required is {wanted}"
    if wanted == 1 and output:
        yield f"{len(output)} bytes on standard output, required are none"
    if wanted == 1 and left:
        yield f"it left {', '.join(sorted(left))}"
    for crash in commands.CRASHES:
        if crash in text:
            yield f"'{crash}' in its message"
    if not PLACE.search(text):
        yield "the message names no place, flag or file"
    if not case.matches(said):
        yield "required is\n    " + "\n    ".join(case.message)


def run_case(case, command, environment):
    """("passed", "failed" or "skipped", what it said or why it was skipped)."""
    if command.startswith("nobody ") and os.geteuid() != 0:
        return "skipped", ["only root can run it as another user"]
    with tempfile.TemporaryDirectory(prefix="mamba-refused-") as scratch:
        folder = pathlib.Path(scratch)
        folder.chmod(0o755)
        missing = inputs.make(command, folder, environment)
        if missing:
            return "skipped", [missing]
        environment = dict(environment, XDG_CACHE_HOME=str(folder / "cache"))
        setup, _, command = command.rpartition(" ;; ")
        if setup:
            commands.run_in(folder, setup, environment)
        before = files_in(folder)
        status, output, said = commands.run_in(folder, command, environment)
        # sh's own words: nobody can't reach the tools.
        if command.startswith("nobody ") and status in (126, 127):
            return "skipped", ["the tools can't be run by another user"]
        left = files_in(folder) - before
        wrong = list(faults(case, status, output, said, left))
        if wrong:
            print("\n  ".join([f"{case.path.name}:{case.number}: {command}",
                               *wrong, "it said", *said]), flush=True)
        return "failed" if wrong else "passed", said


def record(changed):
    """Writes what was said into the files, for cases of (case, lines)."""
    for case, said in sorted(changed, key=lambda pair: -pair[0].number):
        lines = case.path.read_text().splitlines()
        start = end = case.number
        while end < len(lines) and re.match("  (?!> )", lines[end]):
            end += 1
        lines[start:end] = ["  " + line for line in said]
        case.path.write_text("\n".join(lines) + "\n")


def run_all(part, environment):
    """Runs what has `part` in its name: the results, and the cases whose message
    is another one, with what was said."""
    results, changed = [], []

    def run_one(name, work):
        start = time.monotonic()
        outcome = work()
        results.append({"name": f"refusals: {name}", "outcome": outcome,
                        "seconds": round(time.monotonic() - start, 3)})

    def work_on(case, command):
        outcome, said = run_case(case, command, environment)
        if outcome == "skipped":
            print(f"skipped: {command}: {said[0]}", flush=True)
        elif not case.matches(said):
            changed.append((case, said))
        return outcome

    with concurrent.futures.ThreadPoolExecutor(commands.JOBS) as pool:
        list(pool.map(lambda job: run_one(*job), [
            (f"{group.title}: {name}", functools.partial(work_on, case, command))
            for group in cases.read_all() for case in group.cases
            for name, command in case.runs()
            if part in f"{group.title}: {name}"]))
    for name, check in damage.checks(environment):
        if part in name:
            run_one(name, check)
    return results, changed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the tools")
    parser.add_argument("--output", help="write the results as JSON here")
    parser.add_argument("--filter", default="", help="part of the names to run")
    parser.add_argument("--record", action="store_true",
                        help="replace messages that differ")
    args = parser.parse_args()
    folder = pathlib.Path(args.bin).resolve()
    for variable in [name for name in os.environ if name.startswith("MAMBA_")]:
        del os.environ[variable]
    os.environ.update(BIN=str(folder), LC_ALL="C",
                      PATH=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}")
    environment = dict(os.environ)

    results, changed = run_all(args.filter, environment)
    if args.record:
        record(changed)
    if args.output:
        pathlib.Path(args.output).write_text(json.dumps(results, indent=1))
    count = {outcome: sum(r["outcome"] == outcome for r in results)
             for outcome in ("passed", "failed", "skipped")}
    print(", ".join(f"{number} {outcome}" for outcome, number in count.items()))
    return 1 if count["failed"] or not results else 0


if __name__ == "__main__":
    sys.exit(main())
