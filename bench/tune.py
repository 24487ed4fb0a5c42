#!/usr/bin/env python3
"""Searches schedules for the S6 layer at the shapes of gpu.py, a problem each.

Reports go to tuned_table.py, which makes the table that comes with the compiler,
and records to bench/results. What was found is written after every problem, so
that a run may be stopped. Suites are functions: forward, saving (forward that
saves states 32 steps apart), saved (the gradients from them), backward (the
gradients from nothing).

  bench/tune.py --mamba-tune build/dev/bin/mamba-tune --suite=backward \\
      --order=bld --seconds=15 --reports R.json --record bench/results/T.json
  bench/tuned_table.py R.json > T.inc && mv T.inc passes/TunedTable.inc
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import gpu

# Kernel of a record, and what mamba-tune is told.
SUITES = {
    "forward": ("s6-forward", []),
    "saving": ("s6-forward-saving", ["--save=all"]),
    "saved": ("s6-backward-saved", ["--grad", "--save=all"]),
    "backward": ("s6-backward", ["--grad"]),
}


def search(arguments, shape, folder):
    """The report of one problem, or None where mamba-tune failed (it says
    why)."""
    kernel, flags = SUITES[arguments.suite]
    batch, channels, length, states, dtype = shape
    report = pathlib.Path(folder) / "report.json"
    done = subprocess.run(
        [arguments.mamba_tune, str(gpu.layer(kernel, states, dtype, folder)),
         f"--device={arguments.device}", "--random", "--again", "--show=0",
         f"--extents=B={batch},L={length},D={channels}",
         f"--seconds={arguments.seconds}", f"--report={report}",
         *(["--from-model"] if arguments.from_model else []),
         *gpu.ORDERS[arguments.order], *flags], stdout=subprocess.DEVNULL)
    return None if done.returncode else json.loads(report.read_text())


def record_of(arguments, report):
    return {"kernel": SUITES[arguments.suite][0], "gpu": report["model"],
            "problem": report["problem"], "schedule": report["schedule"],
            "us": round(report["us"], 2),
            "default_us": round(report["default_us"], 2),
            "seconds": round(report["seconds"], 1),
            "tried": len(report["candidates"]),
            "exhausted": report["exhausted"],
            "from_model": arguments.from_model, "commit": arguments.commit}


def append(path, entries):
    """To the list in a file, if it is there."""
    known = json.loads(path.read_text()) if path.exists() else []
    path.write_text(json.dumps(known + entries, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mamba-tune", required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--suite", choices=SUITES, default="forward")
    parser.add_argument("--order", choices=gpu.ORDERS, default="bdl")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--from-model", action="store_true",
                        help="without the table that comes with the compiler: "
                             "tells how far the model is, and whether the search "
                             "finds what the table has")
    parser.add_argument("--most-elements", type=int, default=1 << 27,
                        help="leaves out larger B x D x L x N / 16")
    parser.add_argument("--commit", default=gpu.head_commit())
    parser.add_argument("--reports", type=pathlib.Path, required=True)
    parser.add_argument("--record", type=pathlib.Path)
    arguments = parser.parse_args()
    failed = False
    for shape in gpu.OFFICIAL:
        batch, channels, length, states, _ = shape
        if batch * channels * length * states // 16 > arguments.most_elements:
            continue
        with tempfile.TemporaryDirectory() as folder:
            report = search(arguments, shape, folder)
        if report is None:
            failed = True
            continue
        append(arguments.reports, [report])
        if arguments.record:
            append(arguments.record, [record_of(arguments, report)])
        print(f"{arguments.suite} {shape} {arguments.order}: "
              f"{report['default_us']:.1f} to {report['us']:.1f} us  "
              f"{report['schedule']}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
