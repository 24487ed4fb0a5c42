#!/usr/bin/env python3
"""Turns reports of mamba-tune into the table that comes with the compiler.

  bench/tuned_table.py REPORT.json... > T.inc && mv T.inc passes/TunedTable.inc

Rows of problems that no report speaks of are kept; of several reports of one
problem on one GPU, the fastest counts.
"""

import json
import pathlib
import re
import sys

TABLE = pathlib.Path(__file__).parent.parent / "passes" / "TunedTable.inc"
ROW = re.compile(r'\{"(.*)", (\d+), "(.*)",\n "(.*)"\}, // ([0-9.]+) us')


def known_rows():
    """Rows of the table by chip, multiprocessors and problem."""
    text = TABLE.read_text() if TABLE.exists() else ""
    return {(chip, int(count), problem): (schedule, float(us))
            for chip, count, problem, schedule, us in ROW.findall(text)}


def reports(paths):
    """The reports in files that hold one, or a list of them."""
    for path in paths:
        loaded = json.load(open(path))
        for report in loaded if isinstance(loaded, list) else [loaded]:
            if report.get("known"):
                sys.exit(f"{path}: found a report of no search, required is "
                         "one of mamba-tune --again")
            yield report


def best(report):
    """The schedule that was chosen, after its finalists were timed once more; where
    NVRTC made the faster code of it, the fastest by LLVM's back end: a table says
    nothing of NVRTC, which a program may not find."""
    if report.get("backend") != "nvrtc":
        return report["schedule"], report["us"]
    timed = [candidate for candidate in report["candidates"]
             if candidate.get("us") and candidate["backend"] == "nvptx"]
    if not timed:
        sys.exit(f"found a report of nothing but NVRTC for {report['problem']}, "
                 "required is one of mamba-tune --backend=nvptx or auto")
    fastest = min(timed, key=lambda candidate: candidate["us"])
    return fastest["schedule"], fastest["us"]


def main():
    rows = known_rows()
    fresh = {}
    for report in reports(sys.argv[1:]):
        key = (report["target"], report["multiprocessors"], report["problem"])
        found = best(report)
        if key not in fresh or found[1] < fresh[key][1]:
            fresh[key] = found
    rows.update(fresh)
    print("// Written by bench/tuned_table.py from reports of mamba-tune.")
    for (chip, count, problem), (schedule, us) in sorted(rows.items()):
        print(f'{{"{chip}", {count}, "{problem}",\n "{schedule}"}}, '
              f"// {us:.1f} us")


if __name__ == "__main__":
    main()
