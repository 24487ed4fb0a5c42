#!/usr/bin/env python3
"""Times the S6 layer on a GPU over a list of shapes and records the result.

Each shape runs in both memory orders, (B, D, L) and (B, L, D), with inputs
that rotate over more than the L2 cache, is compared with the fp64 reference on
sampled slices, and becomes one record of a JSON list. OFFICIAL holds what the
hand-written CUDA kernel of state-spaces/mamba took on an H100 in (B, D, L)
memory (bench/NOTES.md says how that was measured).

  bench/gpu.py --mamba-run build/dev/bin/mamba-run --record bench/results/forward.json
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYER = ROOT / "examples/01-selective-scan/selective_scan.mlir"
LAYER_F32 = ROOT / "bench/s6_f32.mlir"

# (B, D, L, N, type of the activations): microseconds of the official kernel.
OFFICIAL = {
    (8, 2048, 2048, 16, "bf16"): 593, (8, 1536, 2048, 16, "bf16"): 453,
    (1, 2048, 2048, 16, "bf16"): 89.5, (1, 1536, 8192, 16, "bf16"): 284,
    (1, 5120, 8192, 16, "bf16"): 970, (2, 2048, 65536, 16, "bf16"): 5852,
    (64, 1536, 256, 16, "bf16"): 436, (8, 2048, 2048, 64, "bf16"): 1979,
    (1, 1536, 262144, 16, "bf16"): 8997, (8, 2048, 2048, 16, "f32"): 1167,
}
ORDERS = {"bdl": ["--layout=bdl", "--layout=B=bgnl", "--layout=C=bgnl"],
          "bld": ["--layout=bld"]}


def layer(states, dtype, folder):
    """The layer of example 01 with so many states and such activations."""
    text = (LAYER_F32 if dtype == "f32" else LAYER).read_text()
    path = pathlib.Path(folder) / f"s6_{states}_{dtype}.mlir"
    path.write_text(text.replace("x16x", f"x{states}x"))
    return path


def measure(arguments, shape, order, folder):
    """One record, or None where mamba-run failed (it says why)."""
    batch, channels, length, states, dtype = shape
    report = pathlib.Path(folder) / "report.json"
    done = subprocess.run(
        [arguments.mamba_run, str(layer(states, dtype, folder)),
         f"--device={arguments.device}",
         "--random", f"--extents=B={batch},L={length},D={channels}", "--time",
         "--verify", f"--repeats={arguments.repeats}", f"--report={report}",
         *ORDERS[order]], stdout=subprocess.DEVNULL)
    if done.returncode:
        return None
    told = json.loads(report.read_text())
    return {
        "kernel": "s6-forward", "B": batch, "D": channels, "L": length,
        "N": states, "dtype": dtype, "layout": order,
        "gpu": told["model"],
        "driver": told["driver"], "commit": arguments.commit,
        "schedule": told["schedule"],
        "median_us": round(told["median_us"], 2),
        "error": told["errors"][0]["error"],
        "official_us": OFFICIAL[shape] if order == "bdl" else None,
    }


def head_commit():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT,
                          capture_output=True, text=True)
    return done.stdout.strip() or None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mamba-run", required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--commit", default=head_commit())
    parser.add_argument("--record", type=pathlib.Path)
    arguments = parser.parse_args()
    records, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        for shape, official in OFFICIAL.items():
            for order in ORDERS:
                record = measure(arguments, shape, order, folder)
                if record is None:
                    failed = True
                    continue
                records.append(record)
                ratio = official / record["median_us"]
                print(f"(B,D,L,N,type) = {shape}  {order}  "
                      f"{record['median_us']:9.1f} us  official {official} us"
                      f"  {ratio:.2f}x  {record['schedule']}", flush=True)
    leads = [record["official_us"] / record["median_us"]
             for record in records if record["official_us"]]
    if leads:
        print(f"geometric mean of the leads in (B, D, L) memory: "
              f"{statistics.geometric_mean(leads):.2f}x")
    if arguments.record:
        arguments.record.parent.mkdir(parents=True, exist_ok=True)
        arguments.record.write_text(json.dumps(records, indent=1) + "\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
