#!/usr/bin/env python3
"""The whole numerics suite on a GPU under compute-sanitizer.

  sanitize.py FOLDER RECORD.json [--tools=memcheck,racecheck] [--jobs=N]

FOLDER holds the unpacked build/mamba-mlir-portable.tar.xz. A sanitizer sees the
launches of one process, so each of the jobs runs a shard of the suite in one. A
machine that is lent for less time than all shards take runs some of them
(--only=2,3) of the same number (--shards); --quick takes a tenth of the suite.
Exits with 1 where a tool reports anything, a case fails, a shard does not come to
its end, or no case passed. Several GPUs share the shards (--gpus).
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

# Kernels whose strides reach far are the usual ones, on very much memory: what
# these tools do for each byte takes minutes, and has nothing to find there.
SKIP_FAR = {"racecheck", "initcheck"}

SUMMARY = re.compile(r"^cuda:0: (\d+) passed, (\d+) failed, (\d+) refused",
                     re.MULTILINE)
# Of racecheck and of the other tools.
VERDICT = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: (\d+)")


def run_shard(tool, shard, options):
    """What one process did: {seconds, rc, passed, failed, reports}."""
    log = options.logs / f"{tool}-{shard:02d}.log"
    command = [options.sanitizer, "--tool", tool,
               # More than the tools make room for by themselves.
               *(["--num-cuda-barriers", "4096"]
                 if tool in {"racecheck", "synccheck"} else []),
               # The driver tells how many parameters code has by a failing query.
               "--report-api-errors", "no", "--error-exitcode", "9",
               "--print-limit", "20",
               options.folder / "test" / "e2e-numerics", "--device=cuda:0",
               "--jobs=0", "--malformed=0", f"--shards={options.shards}",
               f"--shard={shard}",
               *([f"--filter={options.filter}"] if options.filter else []),
               *([f"--backend={options.backend}"] if options.backend else []),
               *(["--quick"] if options.quick else [])]
    # Each process finds its GPU as the first one.
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": str(shard % options.gpus)
                   } if options.gpus > 1 else None
    start = time.monotonic()
    with log.open("w") as output:
        try:
            rc = subprocess.run(command, stdout=output, check=False,
                                stderr=subprocess.STDOUT, env=environment,
                                timeout=options.timeout).returncode
        except subprocess.TimeoutExpired:
            rc = None
    text = log.read_text(errors="replace")
    summary, verdict = SUMMARY.search(text), VERDICT.search(text)
    done = {"shard": shard, "rc": rc,
            "seconds": round(time.monotonic() - start, 1),
            "passed": int(summary[1]) if summary else 0,
            "failed": int(summary[2]) if summary else 0,
            # The filter may leave a shard nothing.
            "empty": bool(summary) and summary.groups() == ("0", "0", "0"),
            "reports": int(verdict[1]) if verdict else None}
    # A run that is cut short has still said which shards are clean.
    print(f"{tool}: shard {shard}: {done['passed']} passed, {done['failed']} "
          f"failed, {done['reports']} reports in {done['seconds']:.0f} s",
          flush=True)
    return done


def run_tool(tool, options):
    # The first shard is that of far strides.
    numbers = [i for i in range(1 if tool in SKIP_FAR else 0, options.shards)
               if i in options.only]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        shards = list(pool.map(lambda i: run_shard(tool, i, options), numbers))
    bad = [s for s in shards
           if s["reports"] != 0 or (s["rc"] != 0 and not s["empty"])]
    passed = sum(s["passed"] for s in shards)
    print(f"{tool}: {passed} cases passed, "
          f"{sum(s['failed'] for s in shards)} failed, "
          f"{sum(s['reports'] or 0 for s in shards)} reports in "
          f"{max(s['seconds'] for s in shards):.0f} s, shards "
          f"{','.join(str(i) for i in numbers)} of {options.shards}", flush=True)
    for shard in bad:
        ended = "did not end" if shard["rc"] is None else f"exit {shard['rc']}"
        print(f"  shard {shard['shard']}: {ended}, {shard['reports']} reports, "
              f"see {tool}-{shard['shard']:02d}.log", flush=True)
    return {"passed": passed, "failed": sum(s["failed"] for s in shards),
            "reports": sum(s["reports"] or 0 for s in shards),
            "shards": f"{len(numbers)} of {options.shards}",
            "unfinished": sum(s["rc"] is None for s in shards),
            "clean": not bad and passed > 0,
            "seconds": max(s["seconds"] for s in shards)}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("record", type=pathlib.Path)
    parser.add_argument("--tools", default="memcheck,racecheck,synccheck,initcheck")
    parser.add_argument("--jobs", type=int, default=12,
                        help="processes at a time")
    parser.add_argument("--gpus", type=int, default=1,
                        help="GPUs of this machine that share the shards")
    parser.add_argument("--shards", type=int, help="parts of the suite, else as "
                        "many as processes")
    parser.add_argument("--timeout", type=float, default=3600,
                        help="seconds a shard")
    parser.add_argument("--sanitizer", default="compute-sanitizer")
    parser.add_argument("--filter", default="", help="only cases with this text")
    parser.add_argument("--backend", default="", help="nvptx (default) or nvrtc")
    parser.add_argument("--quick", action="store_true",
                        help="a tenth of the cases, small ones")
    parser.add_argument("--only", type=lambda text: [int(i) for i in text.split(",")],
                        help="these shards, as 1,2,3")
    options = parser.parse_args(arguments)
    options.shards = options.shards or options.jobs
    if options.shards < 2:
        parser.error(f"found {options.shards} shards, required 2 or more: the first "
                     "has the cases of far strides, the others the rest")
    if options.only is None:
        options.only = range(options.shards)
    elif not all(0 <= i < options.shards for i in options.only):
        parser.error(f"found --only={options.only}, required shards from 0 to "
                     f"{options.shards - 1}")
    options.logs = options.record.parent
    options.logs.mkdir(parents=True, exist_ok=True)
    record = {tool: run_tool(tool, options) for tool in options.tools.split(",")}
    options.record.write_text(json.dumps(record, indent=1) + "\n")
    return 0 if all(tool["clean"] for tool in record.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
