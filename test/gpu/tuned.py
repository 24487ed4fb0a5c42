#!/usr/bin/env python3
"""The whole numerics suite with each schedule of the tuned table.

  tuned.py FOLDER RECORD.json [--device=cuda:0] [--jobs=15] [--only=1,4] [--quick]

FOLDER holds the unpacked build/mamba-mlir-portable.tar.xz. Every case that a
schedule can run is run with it; the others are refused. A machine that is lent for
less time than all take runs some (--only). Exits with 1 where a case fails, or none
passes.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

TABLE = pathlib.Path(__file__).parents[2] / "passes" / "TunedTable.inc"
SUMMARY = re.compile(r"^\S+: (\d+) passed, (\d+) failed, (\d+) refused", re.MULTILINE)


def schedules(table):
    """The different schedules of the table, as KEY=VALUE pairs."""
    found = []
    for fields in re.findall(r'"#ssm\.schedule<(.*)>"', table):
        text = " ".join(field.replace(" ", "") for field in fields.split(", "))
        if text not in found:
            found.append(text)
    return found


def run(schedule, options):
    """What the suite says with one schedule."""
    start = time.monotonic()
    result = subprocess.run(
        [options.folder / "test" / "e2e-numerics", f"--device={options.device}",
         f"--jobs={options.jobs}", "--malformed=0", f"--schedule={schedule}",
         *(["--quick"] if options.quick else [])],
        capture_output=True, text=True, check=False)
    summary = SUMMARY.search(result.stdout)
    counts = [int(n) for n in summary.groups()] if summary else [0, 0, 0]
    record = {"schedule": schedule, "passed": counts[0], "failed": counts[1],
              "refused": counts[2], "rc": result.returncode,
              "seconds": round(time.monotonic() - start, 1)}
    print("{passed:5} passed {failed:3} failed {refused:4} refused {seconds:6.1f} s"
          "  {schedule}".format(**record), flush=True)
    if result.returncode != 0:
        print(result.stdout[-2000:] + result.stderr[-2000:], flush=True)
    return record


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("record", type=pathlib.Path)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--jobs", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="a tenth of the cases")
    parser.add_argument("--only", type=lambda text: [int(i) for i in text.split(",")],
                        help="these schedules, from 0")
    options = parser.parse_args(arguments)
    chosen = schedules(TABLE.read_text())
    if options.only is not None:
        if not all(0 <= i < len(chosen) for i in options.only):
            parser.error(f"found --only={options.only}, required numbers from 0 to "
                         f"{len(chosen) - 1}")
        chosen = [chosen[i] for i in options.only]
    records = [run(schedule, options) for schedule in chosen]
    options.record.write_text(json.dumps(records, indent=1) + "\n")
    return 0 if all(r["rc"] == 0 and r["passed"] > 0 for r in records) else 1


if __name__ == "__main__":
    sys.exit(main())
