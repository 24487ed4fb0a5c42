#!/usr/bin/env python3
# Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times the S6 layer on the CPU against PyTorch's loop, on the same inputs.

Makes seeded inputs once, runs cpu_baseline.py and mamba-run one after the other
(each in a process of its own, with the same number of threads), compares their
outputs, measures what the layer's exponentials alone take, prints a table and
writes a record for bench/results:

    python3 -m venv VENV && VENV/bin/pip install torch numpy
    VENV/bin/python bench/cpu.py --mamba-run build/release/bin/mamba-run \\
        --record bench/results/cpu.json
"""

import argparse
import datetime
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

BENCH = pathlib.Path(__file__).resolve().parent
INPUTS = ("u", "delta", "A", "B", "C", "D", "z", "bias")


def make_inputs(folder, batch, channels, length, states):
    """Writes .npy files in the order (batch, length, channel, state)."""
    random = np.random.default_rng(0)

    def normal(*shape):
        return random.standard_normal(shape, dtype=np.float32)

    def uniform(low, high, *shape):
        return random.uniform(low, high, shape).astype(np.float32)

    decay = -np.arange(1, states + 1) * random.uniform(
        0.9, 1.1, (channels, states))
    arrays = {
        "u": normal(batch, length, channels),
        "delta": uniform(-0.5, 0.5, batch, length, channels),
        "A": decay.astype(np.float32),
        "B": normal(batch, length, 1, states),
        "C": normal(batch, length, 1, states),
        "D": uniform(-1, 1, channels),
        "z": normal(batch, length, channels),
        # softplus of these: Mamba's initial steps, 0.01 to 0.1.
        "bias": uniform(-4.6, -2.25, channels),
    }
    for name in INPUTS:
        np.save(folder / f"{name}.npy", arrays[name])


def run_torch(inputs, outputs, args):
    """Runs the PyTorch loop; returns its record."""
    subprocess.run([
        sys.executable, BENCH / "cpu_baseline.py", "--inputs", inputs,
        "--outputs", outputs, f"--threads={args.threads}",
        f"--repeats={args.repeats}"
    ], check=True, stdout=subprocess.DEVNULL)
    return json.loads((outputs / "torch.json").read_text())


def run_mamba(inputs, outputs, args):
    """Runs mamba-run; returns its record."""
    report = outputs / "mamba.json"
    command = [args.mamba_run, BENCH / "s6_f32.mlir", f"--device={args.device}"]
    command += [f"--input={n}={inputs / n}.npy" for n in INPUTS]
    command += [f"--output=0={outputs / 'out.npy'}",
                f"--output=1={outputs / 'last.npy'}",
                "--time", f"--repeats={args.repeats * 20}",
                f"--report={report}"]
    environment = os.environ | {"MAMBA_NUM_THREADS": str(args.threads)}
    subprocess.run(command, check=True, env=environment)
    record = json.loads(report.read_text())
    # As it is called in the repository, not on this machine.
    record["file"] = f"{BENCH.name}/s6_f32.mlir"
    return record


def seconds_an_exponential(_=None):
    """Of numpy's float32 exp2, whose loop is vectorized, within a core's first
    cache."""
    x = np.linspace(-8, 0, 4096, dtype=np.float32)
    y = np.empty_like(x)
    best = float("inf")
    for _ in range(50):
        start = time.perf_counter()
        for _ in range(200):
            np.exp2(x, out=y)
        best = min(best, time.perf_counter() - start)
    return best / (200 * x.size)


def exponential_floor(shape, threads):
    """Seconds that the layer's exponentials alone take where each thread does
    its share: one a state and step, one of softplus and one of the gate."""
    batch, channels, length, states = shape
    with multiprocessing.Pool(threads) as pool:
        seconds = max(pool.map(seconds_an_exponential, range(threads), 1))
    return batch * channels * length * (states + 2) * seconds / threads


def difference(folder, other, name):
    """Relative 2-norm of the difference between two outputs."""
    a = np.load(folder / name).astype(np.float64)
    b = np.load(other / name).astype(np.float64)
    if a.shape != b.shape:
        sys.exit(f"cpu.py: {name}: shape {a.shape} and {b.shape} differ")
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def commit():
    result = subprocess.run(["git", "-C", BENCH, "describe", "--always",
                             "--dirty"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mamba-run", required=True,
                        help="the tool, of a release build")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shape", default="1,1536,2048,16",
                        help="batch, channels, length, states")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5,
                        help="timed runs of the PyTorch loop; mamba-run does "
                        "20 times as many")
    parser.add_argument("--record", help="JSON file to write")
    args = parser.parse_args()
    args.shape = [int(extent) for extent in args.shape.split(",")]
    if len(args.shape) != 4 or args.shape[3] != 16:
        parser.error("--shape needs four numbers, the last one 16: the number "
                     "of states of bench/s6_f32.mlir")
    return args


def main():
    args = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="mamba-bench-") as name:
        folder = pathlib.Path(name)
        inputs, torch, mamba = (folder / n for n in ("in", "torch", "mamba"))
        for path in (inputs, torch, mamba):
            path.mkdir()
        make_inputs(inputs, *args.shape)
        baseline = run_torch(inputs, torch, args)
        ours = run_mamba(inputs, mamba, args)
        errors = {n: difference(mamba, torch, f"{n}.npy")
                  for n in ("out", "last")}

    floor = exponential_floor(args.shape, args.threads)
    speedup = baseline["median_s"] / ours["median_s"]
    print(f"S6 layer, fp32, (batch, channels, length, states) = "
          f"({', '.join(map(str, args.shape))}), {args.threads} threads, "
          f"{cpu_model()}")
    print(f"{'PyTorch loop':>14}  {baseline['median_s'] * 1e3:10.2f} ms")
    print(f"{'mamba-run':>14}  {ours['median_s'] * 1e3:10.2f} ms  "
          f"{speedup:.1f}x")
    print(f"{'vector exp2':>14}  {floor * 1e3:10.2f} ms  "
          f"{floor / ours['median_s']:.0%} of mamba-run's")
    for result, error in errors.items():
        print(f"{result:>14}  differs by {error:.1e} (relative 2-norm)")
    if args.record:
        record = {
            "benchmark": "S6 layer on the CPU against PyTorch's loop",
            "date": datetime.date.today().isoformat(),
            "commit": commit(),
            "cpu": cpu_model(),
            "threads": args.threads,
            "dtype": "f32",
            "shape": dict(zip(("batch", "channels", "length", "states"),
                              args.shape)),
            "pytorch": baseline,
            "mamba": ours,
            "speedup": speedup,
            "exp_floor_s": floor,
            "difference": errors,
        }
        path = pathlib.Path(args.record)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2) + "\n")
    # Two fp32 evaluations in different order; more is a wrong result.
    if max(errors.values()) > 1e-5:
        sys.exit("cpu.py: the outputs differ by more than 1e-5")


if __name__ == "__main__":
    main()
