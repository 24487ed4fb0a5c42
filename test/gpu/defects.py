#!/usr/bin/env python3
"""Planted defects: what the simt device says and what compute-sanitizer says.

Runs each kernel of e2e-defects on simt, and on a GPU under the tool of
compute-sanitizer that its line of `e2e-defects --list` names. They agree where
both report a defect of one kind, and on a kernel without a defect where none
of the tools reports anything. What no tool is known to see is run under all of
them, and what they say is recorded, but nothing is required. Exits with 1 on
any disagreement, and if nothing was compared.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

# The options of each tool, by the name that the list has for it.
TOOLS = {
    "memcheck": ["--tool", "memcheck"],
    "racecheck": ["--tool", "racecheck", "--racecheck-report", "all"],
    "initcheck": ["--tool", "initcheck"],
    "initcheck-shared": ["--tool", "initcheck", "--initcheck-address-space",
                         "shared"],
    "synccheck": ["--tool", "synccheck"],
}

# How the two name a kind of defect: simt's word, and what a line of
# compute-sanitizer has in it.
PHRASES = {
    "out of bounds": r"is out of bounds",
    "misaligned": r"is misaligned",
    "race": r"Race reported between|\w+ hazard detected",
    "uninitialized": r"Uninitialized __\w+__ memory read",
    "divergent barrier": r"Barrier error detected\. Divergent thread",
    "inactive lane": r"Barrier error detected\. Invalid arguments",
    "write to an input": None,  # Nothing on a GPU knows what an input is.
}

IN_LAST_LINE = {"out of bounds", "misaligned"}

Kernel = collections.namedtuple("Kernel", "name tool what")


def run(command, timeout):
    """(exit status, output); the status is None if it had to be stopped."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        # The sanitizer's child too, which may wait at a barrier for ever.
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return None, output


def read_list(program):
    """The kernels of `e2e-defects --list`."""
    status, output = run([program, "--list"], 60)
    if status != 0:
        sys.exit(f"error: '{program} --list' failed: {output}")
    return [Kernel(*map(str.strip, line.split("|", 2)))
            for line in output.splitlines()]


def find_sanitizer():
    """The program and the names of the tools that this version has."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    sanitizer = shutil.which("compute-sanitizer", path=path)
    if not sanitizer:
        sys.exit("error: compute-sanitizer is not on the PATH nor in "
                 "/usr/local/cuda/bin; it is part of the CUDA toolkit")
    _, usage = run([sanitizer, "--help"], 60)
    return sanitizer, [name for name, options in TOOLS.items()
                       if all(o in usage for o in options
                              if o.startswith("--"))]


def say_simt(program, kernel, timeout):
    """simt's kind of defect ("" for none), and its report."""
    status, output = run([program, f"--run={kernel.name}", "--device=simt"],
                         timeout)
    if status == 0:
        return "", ""
    report = output.strip()
    match = re.match(r"error: ([a-z ]+): in '", report)
    return (match.group(1) if match else "failed"), report


def classify(status, output):
    """The kinds of defects that a tool reported, and its first report.

    `status` is that of the tool, None if it had to be stopped. A run that did
    not come to an end is no silence, so it has a kind too: "hang" or "failed".
    """
    lines = [line.strip("= ") for line in output.splitlines()
             if line.startswith("=====")]
    kinds = set()
    report = ""
    for number, line in enumerate(lines):
        found = {kind for kind, phrase in PHRASES.items()
                 if phrase and re.search(phrase, line)}
        if found and not report:
            # memcheck says last what is wrong, after where and by whom.
            start = number - 3 if found & IN_LAST_LINE else number
            report = "; ".join(lines[max(start, 0):start + 4])
        kinds |= found
    counts = [int(n) for n in re.findall(r"SUMMARY: (\d+)", output)]
    if kinds:
        return sorted(kinds), report
    if status is None:
        return ["hang"], "no end in time"
    if any(counts):
        return ["unknown"], next((line for line in lines[1:] if line), "")
    if status != 0 or not counts:
        return ["failed"], output.strip()[-300:]
    return [], ""


# racecheck sees a write after a read only where the warps happen to run in
# the order of the defect (on an H100, in about half of the runs).
ATTEMPTS = 8


def say_sanitizer(sanitizer, program, kernel, tool, device, timeout):
    """The tool's kinds of defects, its first report and its whole output.

    A tool that should see the defect of `kernel` is asked again while silent.
    """
    command = [sanitizer, *TOOLS[tool], "--report-api-errors", "no", program,
               f"--run={kernel.name}", f"--device={device}"]
    for _ in range(ATTEMPTS if kernel.tool == tool else 1):
        status, output = run(command, timeout)
        kinds, first = classify(status, output)
        if kinds:
            break
    return kinds, first, output


def compare(kernel, simt, said):
    """"agree", "DISAGREE", or "-" where nothing is required."""
    if kernel.tool == "all":
        silent = not simt and not any(kinds for kinds, _ in said.values())
        return "agree" if silent else "DISAGREE"
    if kernel.tool not in said or kernel.tool == "none":
        return "-"
    same = simt and simt in said[kernel.tool][0]
    return "agree" if same else "DISAGREE"


class Comparison:
    """Runs kernels on both sides."""

    def __init__(self, args, program, sanitizer, tools):
        self.args = args
        self.program = program
        self.sanitizer = sanitizer
        self.tools = tools

    def tools_for(self, kernel):
        return [kernel.tool] if kernel.tool in self.tools else self.tools

    def run(self, kernel):
        """The record of one kernel."""
        timeout = self.args.timeout
        simt, report = say_simt(self.program, kernel, timeout)
        said, logs = {}, {}
        for tool in self.tools_for(kernel):
            kinds, first, logs[tool] = say_sanitizer(
                self.sanitizer, self.program, kernel, tool, self.args.device,
                timeout)
            said[tool] = kinds, first
        verdict = compare(kernel, simt, said)
        if verdict == "DISAGREE":
            for tool, log in logs.items():
                print(f"{kernel.name} under {tool}:\n{log.rstrip()[:4000]}",
                      flush=True)
        return {"name": kernel.name, "tool": kernel.tool, "what": kernel.what,
                "simt": simt or "silent", "simt_report": report,
                "compute_sanitizer": {
                    tool: {"kinds": kinds or ["silent"], "report": first}
                    for tool, (kinds, first) in said.items()},
                "verdict": verdict}


def print_row(record):
    """One line of the table."""
    said = {tool: ", ".join(entry["kinds"])
            for tool, entry in record["compute_sanitizer"].items()}
    if set(said.values()) == {"silent"}:
        text = "silent: " + ", ".join(said)
    else:
        text = "; ".join(f"{tool}: {kinds}" for tool, kinds in said.items()
                         if kinds != "silent" or len(said) == 1)
    print(f"{record['verdict']:<9} {record['name']:<27} "
          f"{record['simt']:<18} {text}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="the unpacked portable build")
    parser.add_argument("output", help="write the table as JSON here")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--filter", default="", help="part of the names to run")
    parser.add_argument("--jobs", type=int, default=4, help="kernels at a time")
    parser.add_argument("--timeout", type=float, default=60, help="seconds")
    args = parser.parse_args()

    program = str(pathlib.Path(args.folder, "test", "e2e-defects"))
    sanitizer, tools = find_sanitizer()
    version = run([sanitizer, "--version"], 60)[1].strip().splitlines()[-1:]
    kernels = [k for k in read_list(program) if args.filter in k.name]
    print(f"{'':<9} {'kernel':<27} {'simt':<18} compute-sanitizer")
    comparison = Comparison(args, program, sanitizer, tools)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        records = []
        for record in pool.map(comparison.run, kernels):
            print_row(record)
            records.append(record)
    defects = sum(r["verdict"] == "agree" and r["tool"] != "all"
                  for r in records)
    clean = sum(r["verdict"] == "agree" and r["tool"] == "all"
                for r in records)
    failed = sum(r["verdict"] == "DISAGREE" for r in records)
    pathlib.Path(args.output).write_text(json.dumps(
        {"compute_sanitizer": " ".join(version), "tools": tools,
         "defects_agreed": defects, "clean_agreed": clean,
         "disagreements": failed, "kernels": records}, indent=1) + "\n")
    print(f"simt and compute-sanitizer agree on {defects} defects and {clean} "
          f"kernels without one, and disagree on {failed}")
    return 1 if failed or defects == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
