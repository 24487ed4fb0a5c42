#!/usr/bin/env python3
# Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The S6 layer as a PyTorch loop on the CPU: what a user has without a kernel.

The formula is that of `selective_scan_ref` in state-spaces/mamba, written anew:
decay and input of every step are made up front as (b, d, l, n) tensors, then
the recurrence runs step by step. fp32 throughout.

Reads u, delta, A, B, C, D, z and bias as .npy from a folder, in the order
(batch, length, channel, state); writes out.npy and last.npy, and a JSON with
the median time. The layout that the formula wants, (b, d, l), is made before
the clock starts, so the loop is timed at its best.
"""

import argparse
import json
import os
import statistics
import sys
import time

import numpy as np

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    sys.exit("cpu_baseline.py needs PyTorch: python3 -m venv VENV && "
             "VENV/bin/pip install torch numpy, then run it with "
             "VENV/bin/python")


def selective_scan(u, delta, A, B, C, D, z, bias):
    """u, delta, z: (b, d, l); A: (d, n); B, C: (b, n, l); D, bias: (d).

    Returns the output (b, d, l) and the last state (b, d, n).
    """
    delta = F.softplus(delta + bias[..., None])
    decay = torch.exp(torch.einsum("bdl,dn->bdln", delta, A))
    drive = torch.einsum("bdl,bnl,bdl->bdln", delta, B, u)
    x = torch.zeros(u.shape[0], u.shape[1], A.shape[1])
    ys = []
    for i in range(u.shape[2]):
        x = decay[:, :, i] * x + drive[:, :, i]
        ys.append(torch.einsum("bdn,bn->bd", x, C[:, :, i]))
    y = torch.stack(ys, dim=2)
    return (y + u * D[:, None]) * F.silu(z), x


def load_inputs(folder):
    """The arrays of `folder` in the layout of selective_scan."""

    def read(name):
        path = os.path.join(folder, name + ".npy")
        if not os.path.exists(path):
            sys.exit(f"cpu_baseline.py: {path}: not found; bench/cpu.py makes "
                     "the inputs")
        return np.load(path).astype(np.float32)

    def channels_first(name):
        # (b, l, d) -> (b, d, l); (b, l, 1, n) loses its one group first.
        array = read(name)
        if array.ndim == 4:
            if array.shape[2] != 1:
                sys.exit(f"cpu_baseline.py: {name} has {array.shape[2]} groups;"
                         " the formula is written for 1")
            array = array[:, :, 0, :]
        return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 2, 1)))

    inputs = {n: channels_first(n) for n in ("u", "delta", "B", "C", "z")}
    inputs.update({n: torch.from_numpy(read(n)) for n in ("A", "D", "bias")})
    return inputs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", required=True, help="folder of .npy inputs")
    parser.add_argument("--outputs", required=True,
                        help="folder for out.npy, last.npy and torch.json")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    inputs = load_inputs(args.inputs)
    times = []
    with torch.inference_mode():
        for i in range(args.warmup + args.repeats):
            start = time.perf_counter()
            out, last = selective_scan(**inputs)
            if i >= args.warmup:
                times.append(time.perf_counter() - start)

    os.makedirs(args.outputs, exist_ok=True)
    np.save(os.path.join(args.outputs, "out.npy"),
            np.ascontiguousarray(out.numpy().transpose(0, 2, 1)))
    np.save(os.path.join(args.outputs, "last.npy"), last.numpy())
    record = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "repeats": args.repeats,
        "median_s": statistics.median(times),
        "times_s": times,
    }
    with open(os.path.join(args.outputs, "torch.json"), "w") as file:
        json.dump(record, file, indent=2)
    print(json.dumps(record))


if __name__ == "__main__":
    main()
