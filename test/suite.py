#!/usr/bin/env python3
"""Runs every check and test of the repository; `make test` calls this.

A step that fails does not stop the steps that do not need it. The last line is
"N passed, N failed": it counts single tests (GoogleTest cases, lit files,
end-to-end cases, mutants, the other ctest tests) and each step that has none.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PARTS = ["format", "dev", "asan", "tsan", "portable"]
LIT_PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
LIT_SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


class Tally:
    """Counts of single tests, and the names of those that failed."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skipped = []

    def add(self, name, outcome):
        if outcome == "passed":
            self.passed += 1
        elif outcome == "skipped":
            self.skipped.append(name)
        else:
            self.failures.append(name)


def lit_results(path):
    """(name, outcome) of each test file in lit's JSON output."""
    for test in json.loads(path.read_text())["tests"]:
        code = test["code"]
        yield test["name"], ("passed" if code in LIT_PASSED else
                             "skipped" if code in LIT_SKIPPED else "failed")


def gtest_results(path):
    """(name, outcome) of each case in GoogleTest's XML output."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None:
            yield name, "failed"
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            yield name, "skipped"
        else:
            yield name, "passed"


def e2e_results(path):
    """(name, outcome) of each case of test/e2e/run.py, e2e-numerics, mutation or
    refusals."""
    cases = json.loads(path.read_text())
    if isinstance(cases, dict):
        # A schedule that a device can't run is refused: neither is a result.
        cases = [c for c in cases["cases"] if c["outcome"] != "refused"]
    for case in cases:
        yield case["name"], case["outcome"]


READERS = [("lit", ".json", lit_results), ("e2e", ".json", e2e_results),
           ("refusals", ".json", e2e_results),
           ("mutation", ".json", e2e_results), ("unit", ".xml", gtest_results)]


def details(build, test):
    """The single results that the ctest test `test` wrote, or None."""
    for prefix, suffix, read in READERS:
        path = build / "test" / (test + suffix)
        if test.startswith(prefix) and path.exists():
            try:
                return list(read(path))
            except (ValueError, KeyError, ElementTree.ParseError):
                return None  # Cut off by a crash: ctest's verdict counts.
    return None


def count_ctest(build, tally):
    """Adds every test of a ctest run, opened up where it wrote details."""
    label = build.name
    for case in ElementTree.parse(build / "ctest.xml").getroot().iter("testcase"):
        test = case.get("name")
        status = case.get("status")
        whole = ("passed" if status == "run" else
                 "failed" if status == "fail" else "skipped")
        single = details(build, test) or [(test, whole)]
        for name, outcome in single:
            tally.add(f"{label}: {name}", outcome)
        # A process that dies after its last case, or fails a check of its own.
        if whole == "failed" and all(o != "failed" for _, o in single):
            tally.add(f"{label}: {test} (the process)", "failed")


def run(title, command):
    """Runs a step from the repository's root; True if it succeeded."""
    print(f"== {title}", flush=True)
    start = time.monotonic()
    code = subprocess.run(command, cwd=ROOT).returncode
    print(f"   {'done' if code == 0 else f'FAILED (exit {code})'} in "
          f"{time.monotonic() - start:.0f} s", flush=True)
    return code == 0


def build_step(preset, jobs, tally, *targets):
    done = run(f"build {preset}", ["cmake/build.sh", preset, jobs, *targets])
    tally.add(f"build {preset}", "passed" if done else "failed")
    return done


def test_step(preset, tally, *options):
    """Runs ctest in a preset's build and counts what it wrote."""
    build = BUILD / preset
    for old in [build / "ctest.xml", *(build / "test").glob("*.json"),
                *(build / "test").glob("*.xml")]:
        old.unlink(missing_ok=True)
    done = run(f"test {preset}",
               ["ctest", "--test-dir", f"build/{preset}", "--output-on-failure",
                "--output-junit", str(build / "ctest.xml"), *options])
    if (build / "ctest.xml").exists():
        count_ctest(build, tally)
    elif not done:
        tally.add(f"ctest {preset}", "failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", default="2", help="parallel compile jobs")
    parser.add_argument("--only", choices=PARTS,
                        action="append", help="run only these parts")
    args = parser.parse_args()
    parts = args.only or PARTS
    tally = Tally()

    if "format" in parts:
        done = run("format", ["make", "-s", "check-format"])
        tally.add("format", "passed" if done else "failed")
    if "dev" in parts and build_step("dev", args.jobs, tally):
        test_step("dev", tally)
    if "asan" in parts and build_step("asan", args.jobs, tally, "unit-tests",
                                      "fuzzers"):
        test_step("asan", tally, "-L", "unit|fuzz")
    if "tsan" in parts and build_step("tsan", args.jobs, tally, "thread-tests"):
        test_step("tsan", tally, "-L", "threads")
    if "portable" in parts:
        done = run("portable", ["make", "-s", "portable", f"JOBS={args.jobs}"])
        tally.add("portable", "passed" if done else "failed")

    for name in tally.failures:
        print(f"failed: {name}")
    if tally.skipped:
        print(f"{len(tally.skipped)} skipped (no GPU or no CUDA toolkit here, "
              "or the test says why):")
        for name in tally.skipped:
            print(f"  {name}")
    print(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
