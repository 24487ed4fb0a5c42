#!/usr/bin/env python3
"""Times exported kernels beside the kernels of others, in one process.

Of what is installed for this python3; here, selective_scan_cuda, the CUDA
kernels that the package mamba_ssm builds. All take the same tensors of PyTorch,
in (B, D, L) memory, turn by turn on one stream: inputs rotate over more than
the L2 cache, times are medians by CUDA events. Results are compared with each
other first, every one written over NaN. Suites:

  forward  the S6 layer at the shapes of gpu.py
  backward gradients of its eight inputs, from states that forward saved: ours
           32 steps apart, the official kernel's 2,048
  lengths  forward of one sequence, and of eight, by length, which --picture
           draws

  bench/peers.py --mamba-export build/dev/bin/mamba-export \\
      --loader build/dev/lib/libmamba_loader.so --suite=forward --record F.json
  bench/peers.py --draw F.json --picture F.svg   (needs matplotlib)
"""

import argparse
import importlib.metadata
import json
import pathlib
import statistics
import sys
import tempfile

import bundle
import gpu

# Gradients of the output and of the last state, which no peer takes.
OUTPUT_GRADIENT, LAST_GRADIENT = "dresult0", "dresult1"
# Relative 2-norm. The official kernel takes its own output, rounded to bf16, for
# the gradient of z, which then differs by 2.8e-3; in fp32 all are within 9e-7.
MOST_DIFFERENCE = {"bf16": 1e-2, "f32": 1e-5}
ROUNDS = 5
WIDE, NARROW = (8, 2048), (1, 1536)
SUITES = {
    "forward": [("s6-forward", shape) for shape in gpu.OFFICIAL],
    "backward": [("s6-backward-saved", shape) for shape in gpu.OFFICIAL],
    "lengths": [("s6-forward", (batch, channels, 1 << log, 16, "bf16"))
                for (batch, channels), most in [(NARROW, 20), (WIDE, 15)]
                for log in range(8, most + 1)],
}


def in_order(names):
    """Dimensions of a tensor (b, l, d, g, n) from the outermost in memory on,
    where the steps of a channel or state lie side by side."""
    if "l" not in names:
        return list(range(len(names)))
    return [*(i for i, name in enumerate(names) if name != "l"),
            names.index("l")]


class Layer:
    """The S6 layer at one shape: its bundle, and memory for every launch."""

    def __init__(self, arguments, torch, loader, kernel, shape, folder):
        self.torch = torch
        self.sizes = dict(zip("bdl", shape))
        self.is_backward = gpu.is_backward(kernel)
        batch, channels, length, states, dtype = shape
        target = "sm_%d%d" % torch.cuda.get_device_capability()
        bundle.export(
            arguments.mamba_export, gpu.layer(kernel, states, dtype, folder),
            pathlib.Path(folder) / "bundle", f"--targets={target}",
            f"--for=B={batch},L={length},D={channels}", *gpu.ORDERS["bdl"],
            *(["--grad", "--save=all"] if self.is_backward else []))
        self.bundle = bundle.Bundle(loader, pathlib.Path(folder) / "bundle")

    def dimensions(self, spec):
        """What the manifest says: 'l', 'n = 16', 'ceil(l / 32)'."""
        for text in spec["shape"]:
            name, _, rest = text.partition("=")
            if rest:
                yield name.strip(), int(rest)
            elif "ceil" in text:
                steps = int(text.partition("/")[2].strip(" )"))
                yield "chunk", -(-self.sizes["l"] // steps)
            else:
                yield text, self.sizes[text]

    def empty(self, spec):
        """Memory for a tensor, NaN all over."""
        names, shape = zip(*self.dimensions(spec))
        order = in_order(names)
        memory = self.torch.full(
            [shape[i] for i in order], float("nan"), device="cuda",
            dtype=getattr(self.torch, bundle.NAMES[spec["dtype"]]))
        return memory.permute([order.index(i) for i in range(len(order))])

    def filled(self, spec):
        """Inputs as layers have them: decays below 1, moderate steps."""
        tensor = self.empty(spec)
        tensor.normal_()
        if spec["name"] == "A":
            tensor.uniform_(-16, -1)
        if spec["name"] == "bias":
            tensor.uniform_(-7, -3)
        if spec["name"] == LAST_GRADIENT:
            tensor.zero_()
        return tensor

    def functions(self):
        return self.bundle.manifest["functions"]

    def tensors(self):
        """One set of inputs and results of all functions, by name; those with
        one name are one tensor, as saved states are."""
        every = {}
        for function in self.functions():
            for spec in function["inputs"]:
                if spec["name"] not in every:
                    every[spec["name"]] = self.filled(spec)
            for spec in function["results"]:
                every[spec["name"]] = self.empty(spec)
        return every

    def bytes_of(self, tensors):
        """Of what the function that is timed reads and writes."""
        timed = self.functions()[-1]
        every = (tensors[spec["name"]]
                 for spec in timed["inputs"] + timed["results"])
        return sum(tensor.numel() * tensor.element_size() for tensor in every)

    def launchers(self, tensors, stream):
        """What launches each function on a set of tensors."""
        return [self.bundle.launcher(
            number, [tensors[spec["name"]]
                     for spec in function["inputs"] + function["results"]],
            stream) for number, function in enumerate(self.functions())]


class Official:
    """selective_scan_cuda on the tensors of a layer."""
    name = "mamba_ssm"

    def __init__(self, module):
        self.module = module

    def version(self):
        """Of the package, where its kernels come in one."""
        try:
            return importlib.metadata.version("mamba_ssm")
        except importlib.metadata.PackageNotFoundError:
            return None

    def arguments(self, tensors):
        """What both of its functions begin with: (B, D, L), (B, G, N, L)."""
        u, delta, z = (tensors[name].transpose(1, 2)
                       for name in ("u", "delta", "z"))
        B, C = (tensors[name].permute(0, 2, 3, 1) for name in ("B", "C"))
        return [u, delta, tensors["A"], B, C, tensors["D"], z, tensors["bias"]]

    def forward(self, tensors):
        first = self.arguments(tensors)
        return lambda: self.module.fwd(*first, True)

    def backward(self, tensors):
        first = self.arguments(tensors)
        out, states, _ = self.module.fwd(*first, True)
        gradient = tensors[OUTPUT_GRADIENT].transpose(1, 2)
        return lambda: self.module.bwd(*first, gradient, states, out, None,
                                       True, False)

    def results(self, told, is_backward):
        """What one of its functions has told, as a bundle names its own."""
        if not is_backward:
            return {"result0": told[2].transpose(1, 2)}
        du, ddelta, dA, dB, dC, dD, dbias, dz = told
        return {"dA": dA, "dD": dD, "dbias": dbias,
                **{name: tensor.transpose(1, 2) for name, tensor in
                   (("du", du), ("ddelta", ddelta), ("dz", dz))},
                **{name: tensor.permute(0, 3, 1, 2)
                   for name, tensor in (("dB", dB), ("dC", dC))}}


def difference(ours, theirs):
    """Relative 2-norm; not a number where either is not."""
    ours, theirs = ours.double(), theirs.double()
    return ((ours - theirs).norm() / theirs.norm()).item()


def compare(layer, tensors, told, peer):
    """How far our results are from those of a peer, by name."""
    return {name: difference(tensors[name], theirs) for name, theirs
            in peer.results(told, layer.is_backward).items()}


def medians(torch, systems, repeats):
    """Microseconds of each list of launches, which take turns; each launch is
    timed by itself."""
    times = {name: [] for name in systems}
    for launches in systems.values():
        launches[0]()
    for _ in range(ROUNDS):
        for name, launches in systems.items():
            events = []
            torch.cuda.synchronize()
            torch.cuda._sleep(2_000_000)  # So that the host stays ahead.
            # All of the inputs each round, or they would stay in the cache.
            for i in range(max(-(-repeats // ROUNDS), len(launches))):
                first, last = (torch.cuda.Event(enable_timing=True)
                               for _ in range(2))
                first.record()
                launches[i % len(launches)]()
                last.record()
                events.append((first, last))
            torch.cuda.synchronize()
            times[name] += [first.elapsed_time(last) * 1e3
                            for first, last in events]
    return {name: statistics.median(all_) for name, all_ in times.items()}


def floor_us(torch, shape, bytes_, copy_rate):
    """The larger of every byte moved once and every exponential computed once:
    one a state and step, and four an element for softplus and silu."""
    batch, channels, length, states, _ = shape
    properties = torch.cuda.get_device_properties(0)
    exponentials = batch * channels * length * (states + 4)
    rate = properties.multi_processor_count * 16 * properties.clock_rate * 1e-3
    return max(bytes_ / copy_rate, exponentials / rate)


def copy_rate(torch):
    """Bytes a microsecond that a copy within the GPU's memory reaches."""
    source = torch.empty(1 << 31, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() / medians(
        torch, {"copy": [lambda: target.copy_(source)]}, 10)["copy"]


def measure(arguments, torch, loader, peers, rate, kernel, shape, folder):
    layer = Layer(arguments, torch, loader, kernel, shape, folder)
    stream = torch.cuda.current_stream().cuda_stream
    first = layer.tensors()
    sets = [first]
    bytes_ = layer.bytes_of(first)
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    sets += [layer.tensors() for _ in range(2 * cache // bytes_)]
    ours = [layer.launchers(tensors, stream) for tensors in sets]
    systems, differences = {"mamba-mlir": [each[-1] for each in ours]}, {}
    for launches in ours:
        for launch in launches:  # Gradients start from states of forward.
            launch()
    for peer in peers:
        call = peer.backward if layer.is_backward else peer.forward
        systems[peer.name] = [call(tensors) for tensors in sets]
        differences[peer.name] = compare(layer, first,
                                         systems[peer.name][0](), peer)
    times = medians(torch, systems, arguments.repeats)
    record = dict(zip(("B", "D", "L", "N", "dtype"), shape)) | {
        "kernel": kernel, "layout": "bdl",
        "gpu": torch.cuda.get_device_name(), "commit": arguments.commit,
        "torch": torch.__version__, "cuda": torch.version.cuda,
        "peers": {peer.name: peer.version() for peer in peers},
        "schedule": layer.bundle.schedule(-1),
        "median_us": round(times["mamba-mlir"], 2),
        "floor_us": round(floor_us(torch, shape, bytes_, rate), 2),
        "official_us": round(times[Official.name], 2)
                       if Official.name in times else None,
        "difference": differences.get(Official.name)}
    layer.bundle.close()
    return record


def describe(record):
    shape = tuple(record[key] for key in ("B", "D", "L", "N", "dtype"))
    text = (f"{record['kernel']} (B,D,L,N,type) = {shape}  "
            f"{record['median_us']:9.1f} us, floor {record['floor_us']:.1f} us")
    if record["official_us"]:
        worst = max(record["difference"].values())
        text += (f", official {record['official_us']:.1f} us, "
                 f"{record['official_us'] / record['median_us']:.2f}x, "
                 f"difference {worst:.1e}")
    return f"{text}  {record['schedule']}"


def wrong_results(record):
    """What differs too much from a peer's, in words."""
    most = MOST_DIFFERENCE[record["dtype"]]
    return [f"{name} differs by {value:.1e}, more than {most:.0e}"
            for name, value in (record["difference"] or {}).items()
            if not value <= most]


def draw(records, picture):
    """Time a step, and the fraction of the floor, by length."""
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lengths"
    from matplotlib import pyplot
    figure, panels = pyplot.subplots(1, 2, figsize=(11, 4.2))
    systems = [("median_us", "mamba-mlir", "o-"),
               ("official_us", "official kernel", "s--")]
    for (batch, channels), colour in ((NARROW, "#4477aa"), (WIDE, "#ee6677")):
        of_width = [r for r in records
                    if (r["B"], r["D"]) == (batch, channels)]
        lengths = [r["L"] for r in of_width]
        for key, name, style in systems:
            if not of_width or any(r[key] is None for r in of_width):
                continue
            label = f"{name}, ({batch}, {channels}, L)"
            panels[0].plot(lengths, [1e3 * r[key] / r["L"] for r in of_width],
                           style, color=colour, label=label, markersize=4)
            panels[1].plot(lengths, [r["floor_us"] / r[key] for r in of_width],
                           style, color=colour, label=label, markersize=4)
    for panel, title in zip(panels, ("ns a step", "fraction of the floor")):
        panel.set_xscale("log", base=2)
        panel.set_xlabel("L")
        panel.set_title(title)
        panel.grid(alpha=0.3)
    panels[0].set_yscale("log")
    panels[0].minorticks_off()
    panels[0].set_yticks([10, 20, 50, 100, 200, 500],
                         ["10", "20", "50", "100", "200", "500"])
    panels[1].set_ylim(0, 1.1)
    panels[1].legend(fontsize=8, loc="upper left")
    figure.suptitle(f"S6 layer, N = 16, bf16, forward, {records[0]['gpu']}")
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


def found_peers():
    try:
        import selective_scan_cuda
    except ImportError as error:
        print(f"without mamba_ssm's kernels, which are not installed: {error}",
              file=sys.stderr)
        return []
    return [Official(selective_scan_cuda)]


def opened(arguments):
    """PyTorch and the loader, or an end with what is missing."""
    try:
        import torch
    except ImportError as error:
        sys.exit(f"found no PyTorch ({error}), whose tensors all kernels take: "
                 "install it ('pip install torch'), with CUDA")
    if not torch.cuda.is_available():
        sys.exit("found no GPU that PyTorch can use")
    try:
        return torch, bundle.Loader(arguments.loader, "cuda:0")
    except (OSError, RuntimeError) as error:
        sys.exit(f"--loader={arguments.loader}: {error}")


def sweep(arguments):
    torch, loader = opened(arguments)
    peers, rate, records = found_peers(), copy_rate(torch), []
    print(f"{torch.cuda.get_device_name()}: a copy moves {rate / 1e6:.2f} TB/s")
    for kernel, shape in SUITES[arguments.suite]:
        with tempfile.TemporaryDirectory() as folder:
            records.append(measure(arguments, torch, loader, peers, rate,
                                   kernel, shape, folder))
        torch.cuda.empty_cache()
        print(describe(records[-1]), flush=True)
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mamba-export")
    parser.add_argument("--loader", type=pathlib.Path)
    parser.add_argument("--suite", choices=SUITES, default="forward")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--commit", default=gpu.head_commit())
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--draw", type=pathlib.Path)
    parser.add_argument("--picture", type=pathlib.Path)
    arguments = parser.parse_args()
    measures = bool(arguments.mamba_export and arguments.loader)
    if measures == bool(arguments.draw):
        sys.exit("give --mamba-export and --loader to measure, or --draw to "
                 "draw a record")
    records = (sweep(arguments) if measures
               else json.loads(arguments.draw.read_text()))
    gpu.print_mean_lead(records)
    if arguments.record:
        arguments.record.write_text(json.dumps(records, indent=1) + "\n")
    if arguments.picture:
        draw(records, arguments.picture)
    wrong = [f"{describe(record)}: {text}" for record in records
             for text in wrong_results(record)]
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
