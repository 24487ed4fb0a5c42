#!/usr/bin/env python3
"""Times the S6 layer on a GPU over a list of shapes and records the result.

Inputs rotate over more than the L2 cache, each shape is compared with the fp64
reference on sampled slices (gradients: on a part of it), and becomes one record
of a JSON list. Suites:

  layers   the shapes that the hand-written CUDA kernel of state-spaces/mamba was
           measured at on an H100 in (B, D, L) memory (bench/NOTES.md says how;
           peers.py runs it beside ours), in both memory orders, (B, D, L) and
           (B, L, D)
  backward the gradients of all eight inputs at these shapes, beside the official
           backward kernel, which also takes states that its forward kernel saved
  training forward that saves states, 32 steps apart, and the gradients from them
  steps    one step with its state in and out, as decoding takes them, launch by
           launch and as a CUDA graph; the first one, of 32 channels, is nothing
           but a launch
  lengths  one sequence of few channels from 1 Ki to 1 Mi steps, and enough of
           them to fill a GPU from 1 Ki to 64 Ki
  variants gradients of the layers of example 03 beside those of the S6 layer with
           as many states and such activations, by time a state and step

  bench/gpu.py --mamba-run build/dev/bin/mamba-run --record bench/results/forward.json
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAYER = ROOT / "examples/01-selective-scan/selective_scan.mlir"
YOUR_OWN = ROOT / "examples/03-your-own"
LAYER_F32 = ROOT / "bench/s6_f32.mlir"

# (B, D, L, N, type of the activations): microseconds of the official kernels,
# forward and backward, on this GPU; peers.py measures them on any.
OFFICIAL_GPU = "H100"
OFFICIAL = {
    (8, 2048, 2048, 16, "bf16"): (593, 2430),
    (8, 1536, 2048, 16, "bf16"): (453, 1834),
    (1, 2048, 2048, 16, "bf16"): (89.5, 386),
    (1, 1536, 8192, 16, "bf16"): (284, 1136),
    (1, 5120, 8192, 16, "bf16"): (970, 3284),
    (2, 2048, 65536, 16, "bf16"): (5852, 20333),
    (64, 1536, 256, 16, "bf16"): (436, 2153),
    (8, 2048, 2048, 64, "bf16"): (1979, 9333),
    (1, 1536, 262144, 16, "bf16"): (8997, 31329),
    (8, 2048, 2048, 16, "f32"): (1167, 2724),
}
ORDERS = {"bdl": ["--layout=bdl", "--layout=B=bgnl", "--layout=C=bgnl"],
          "bld": ["--layout=bld"]}
STEPS = [(1, 32, 1, 16, "bf16"), *((batch, 2048, 1, 16, "bf16")
                                   for batch in (1, 64, 512))]
LENGTHS = [*((1, 512, 1024 << log, 16, "bf16") for log in range(0, 11, 2)),
           *((8, 2048, 1024 << log, 16, "bf16") for log in range(0, 7, 2))]
# Layers of example 03: their states a channel, and activations.
VARIANTS = {"leaky": (1, "f32"), "min_gru": (1, "bf16"),
            "normalized_scan": (32, "f32"), "rg_lru": (1, "bf16")}
# What a copy within a GPU's memory reaches, by a word of its name.
BYTES_PER_US = {"H100": 3.02e6, "H200": 4.28e6}


def replaced(text, old, new):
    if old not in text:
        sys.exit(f"the layer has no '{old}' any more; adapt {__file__}")
    return text.replace(old, new)


def with_initial_state(text):
    """The layer, given the state that it starts from."""
    text = replaced(text, '{ssm.name = "bias"})', '{ssm.name = "bias"},\n'
                    '    %h0: tensor<?x?x16xf32> {ssm.name = "h0"})')
    return replaced(text, "ssm.scan %a, %b : tensor<?x?x?x16xf32>",
                    "ssm.scan %a, %b init(%h0)"
                    " : tensor<?x?x?x16xf32>, tensor<?x?x16xf32>")


def layer(kernel, states, dtype, folder):
    """The layer of example 01 with so many states and such activations, or the
    one of example 03 that the kernel is named after."""
    variant = kernel.removesuffix("-backward")
    if variant in VARIANTS:
        return YOUR_OWN / f"{variant}.mlir"
    text = (LAYER_F32 if dtype == "f32" else LAYER).read_text()
    if kernel == "s6-step":
        text = with_initial_state(text)
    path = pathlib.Path(folder) / f"{kernel}_{states}_{dtype}.mlir"
    path.write_text(text.replace("x16x", f"x{states}x"))
    return path


def is_backward(kernel):
    return "-backward" in kernel


def run(arguments, kernel, shape, order, folder, *flags):
    """What mamba-run reports, or None where it failed (it says why)."""
    batch, channels, length, states, dtype = shape
    report = pathlib.Path(folder) / "report.json"
    done = subprocess.run(
        [arguments.mamba_run, str(layer(kernel, states, dtype, folder)),
         f"--device={arguments.device}",
         "--random", f"--extents=B={batch},L={length},D={channels}", "--time",
         f"--repeats={arguments.repeats}", f"--report={report}", *flags,
         *ORDERS[order], *(["--grad"] if is_backward(kernel) else []),
         *(["--save=all"] if kernel in SAVING else []),
         f"--backend={arguments.backend}"],
        stdout=subprocess.DEVNULL)
    return None if done.returncode else json.loads(report.read_text())


def measure(arguments, kernel, shape, order, folder):
    """One record, or None where mamba-run failed."""
    batch, channels, length, states, dtype = shape
    told = run(arguments, kernel, shape, order, folder, "--verify")
    if told is None:
        return None
    record = {
        "kernel": kernel, "B": batch, "D": channels, "L": length,
        "N": states, "dtype": dtype, "layout": order,
        "gpu": told["model"],
        "driver": told["driver"], "commit": arguments.commit,
        "schedule": told["schedule"], "backend": told["backend"],
        "median_us": round(told["median_us"], 2),
        "error": max(result["error"] for result in told["errors"])
                 if is_backward(kernel) else told["errors"][0]["error"],
        "errors": {result["name"]: result["error"]
                   for result in told["errors"]},
        "memory_us": memory_us(told),
        "launch_us": told.get("launch_us"),
        "official_us": official(kernel, shape, told["model"])
                       if order == "bdl" else None,
    }
    if kernel == "s6-step":
        graph = run(arguments, kernel, shape, order, folder, "--graph")
        record["graph_us"] = graph and round(graph["median_us"], 2)
    return record


def memory_us(told):
    """To move every byte once; None on a GPU whose memory is not known."""
    for name, rate in BYTES_PER_US.items():
        if name in told["model"]:
            return round(told["bytes"] / rate, 2)
    return None


def official(kernel, shape, model):
    forward, backward = OFFICIAL.get(shape, (None, None))
    if OFFICIAL_GPU not in model:
        return None
    return backward if is_backward(kernel) else forward


def head_commit():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT,
                          capture_output=True, text=True)
    return done.stdout.strip() or None


# Forward that saves states, and the gradients that start from them.
SAVING = ["s6-forward-saving", "s6-backward-saved"]

# (kernel, shape, memory order).
SUITES = {
    "layers": [("s6-forward", shape, order) for shape in OFFICIAL
               for order in ORDERS],
    "backward": [("s6-backward", shape, order) for shape in OFFICIAL
                 for order in ORDERS],
    "training": [(kernel, shape, "bdl") for shape in OFFICIAL
                 for kernel in SAVING],
    "steps": [("s6-step", shape, "bld") for shape in STEPS],
    "lengths": [("s6-forward", shape, "bdl") for shape in LENGTHS],
    "variants": [(f"{kernel}-backward", (8, 2048, 2048, states, dtype), "bld")
                 for name, (states, dtype) in VARIANTS.items()
                 for kernel in ("s6", name)],
}


def describe(record):
    shape = tuple(record[key] for key in ("B", "D", "L", "N", "dtype"))
    text = (f"{record['kernel']} (B,D,L,N,type) = {shape}  {record['layout']}  "
            f"{record['median_us']:9.1f} us, "
            f"{1e3 * record['median_us'] / record['L']:.1f} ns a step")
    if record["memory_us"]:
        text += f", memory {record['memory_us']:.1f} us"
    if record["official_us"]:
        text += (f", official {record['official_us']} us, "
                 f"{record['official_us'] / record['median_us']:.2f}x")
    if record.get("graph_us"):
        text += f", in a graph {record['graph_us']:.1f} us"
    return f"{text}  {record['schedule']}"


def print_mean_lead(records):
    leads = [record["official_us"] / record["median_us"]
             for record in records if record["official_us"]]
    if leads:
        print(f"geometric mean of the leads in (B, D, L) memory: "
              f"{statistics.geometric_mean(leads):.2f}x")


def print_variant_costs(records):
    """Gradients of each variant beside those of the S6 layer of its states."""
    for s6, variant in zip(records[::2], records[1::2]):
        steps = math.prod(s6[axis] for axis in ("B", "D", "L", "N"))
        costs = [1e6 * record["median_us"] / steps for record in (variant, s6)]
        print(f"{variant['kernel']}: {costs[0]:.2f} ps a state and step, "
              f"{costs[0] / costs[1]:.2f} times the S6 layer's {costs[1]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mamba-run", required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--backend", choices=["nvptx", "nvrtc", "auto"],
                        default="auto")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--commit", default=head_commit())
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--suite", choices=SUITES, default="layers")
    arguments = parser.parse_args()
    records, failed = [], False
    with tempfile.TemporaryDirectory() as folder:
        for kernel, shape, order in SUITES[arguments.suite]:
            record = measure(arguments, kernel, shape, order, folder)
            if record is None:
                failed = True
                continue
            records.append(record)
            print(describe(record), flush=True)
    print_mean_lead(records)
    if arguments.suite == "variants" and not failed:
        print_variant_costs(records)
    if arguments.record:
        arguments.record.parent.mkdir(parents=True, exist_ok=True)
        arguments.record.write_text(json.dumps(records, indent=1) + "\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
