#!/usr/bin/env python3
"""Compiles examples 01 and 02, runs them on the first GPU or else on the CPU,
compares the results with the fp64 reference, and says what happened.
"""

import argparse
import array
import json
import pathlib
import re
import subprocess
import sys

EXAMPLES = pathlib.Path(__file__).resolve().parent
ROOT = EXAMPLES.parent
sys.path.insert(0, str(ROOT / "test" / "e2e"))
from run import cuda_devices  # noqa: E402 (the path comes first)

RECORDING = pathlib.Path("/usr/share/sounds/alsa/Front_Center.wav")


class Demo:
    def __init__(self, args):
        self.mamba_run = args.bin / "mamba-run"
        self.device = args.device
        self.output = args.output
        if not self.mamba_run.exists():
            sys.exit(f"error: there is no {self.mamba_run}; 'make build' makes "
                     "it, or give --bin=FOLDER")
        self.output.mkdir(parents=True, exist_ok=True)

    def call(self, command, *flags):
        """Standard output of mamba-run; ends the demo where it fails."""
        done = subprocess.run(
            [self.mamba_run, *command, f"--device={self.device}", *flags],
            stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.stdout.write(done.stdout)
            sys.exit(f"error: this failed on {self.device}: mamba-run "
                     + " ".join(map(str, [*command, *flags])))
        return done.stdout

    def run(self, title, command, *flags):
        """Runs one function and prints what was fused and measured."""
        report_path = self.output / "report.json"
        model = self.call(command, "--dump=model")
        kernel = self.call(command, "--dump=schedule")
        self.call(command, "--verify", "--time", f"--report={report_path}",
                  *flags)
        report = json.loads(report_path.read_text())
        extents = " ".join(f"{axis.upper()}={extent}"
                           for axis, extent in report["extents"].items())
        print(f"\n{title}")
        print(f"  problem   @{report['kernel']}, {extents}, {report['dtype']}, "
              f"on {report['device']} ({report['model']})")
        print(f"  fused     {fusion(model, kernel)}")
        defaults = " (every field at its default)"
        print(f"  schedule  {report['schedule']}"
              f"{defaults if report['schedule'].endswith('<>') else ''}")
        for check in report["errors"]:
            print(f"  verified  {check['name']}: relative error "
                  f"{check['error']:.1e}, bound {check['bound']:.1e}")
        print(f"  time      {timing(report)}")


def count(lines, indent):
    """Operations at one depth of nesting that compute something."""
    op = re.compile(rf"^ {{{indent}}}%\S.* = (?!arith\.constant|complex\.constant"
                    r"|tensor\.dim|tensor\.empty)")
    return sum(bool(op.match(line)) for line in lines.splitlines())


def fusion(model, kernel):
    """What --dump=model and --dump=schedule say of each other."""
    fused = kernel.count(" = ssm.fused")
    text = (f"{count(model, 4)} operations on tensors became {fused} fused "
            f"op{'s' if fused != 1 else ''} of {count(kernel, 6)} scalar "
            "operations")
    parts = [(kernel.count("ssm.recurrence"), "recurrence"),
             (kernel.count("ssm.sum"), "sum over the states")]
    listed = " and ".join(f"{n} {name}" if n == 1 else f"{n} x {name}"
                          for n, name in parts if n)
    return f"{text}, among them {listed}"


def timing(report):
    microseconds = report["median_us"]
    text = (f"{microseconds:.1f} us" if microseconds < 1000 else
            f"{microseconds / 1000:.2f} ms")
    text += f", {report['gb_per_s']:.1f} GB/s"
    if "fraction_of_floor" in report:
        text += (f", {report['fraction_of_floor'] * 100:.0f} % of the device's "
                 f"limit ({report['floor_us']:.1f} us)")
    return text


def loudness(path):
    """Peak and effective value of a recording that mamba-run wrote."""
    content = path.read_bytes()
    samples = array.array("f", content[content.index(b"data") + 8:])
    rms = (sum(x * x for x in samples) / len(samples)) ** 0.5
    return max(abs(x) for x in samples), rms


def demo_layer(demo):
    # The CPU gets a layer of one sequence.
    extents = "B=1,L=2048,D=1536" if demo.device == "cpu" else "B=8,L=2048,D=2048"
    demo.run("01  Mamba's S6 layer (examples/01-selective-scan)",
             [EXAMPLES / "01-selective-scan" / "selective_scan.mlir",
              "--random", f"--extents={extents}"])


def demo_audio(demo, recording):
    folder = EXAMPLES / "02-audio"
    bank = [f"--input={name}={folder / 'bank.safetensors'}:{name}"
            for name in ("delta", "A", "B", "C")]
    for rule in ("zoh", "bilinear"):
        stem = demo.output / rule
        demo.run(f"02  Eight S4D filters over a recording, rule {rule} "
                 "(examples/02-audio)",
                 [folder / "filter_bank.mlir", f"--function={rule}",
                  f"--input=u={recording}", "--broadcast=u=d", *bank],
                 f"--output=0:mix={stem}-mix.wav",
                 f"--output=0:mix={stem}-mix.png",
                 f"--output=0:5={stem}-4kHz.wav",
                 f"--output=0:5={stem}-4kHz.png")
        peak, rms = loudness(pathlib.Path(f"{stem}-mix.wav"))
        print(f"  sound     {stem}-mix.wav: peak {peak:.2f}, rms {rms:.3f}")
    print(f"\nSounds and spectrograms: {demo.output}/*.wav, *.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path,
                        default=ROOT / "build" / "dev" / "bin",
                        help="folder of the tools (default build/dev/bin)")
    parser.add_argument("--device", help="cpu or cuda:N (default: the first "
                        "GPU, or the CPU without one)")
    parser.add_argument("--output", type=pathlib.Path,
                        default=pathlib.Path("build/demo"),
                        help="folder for sounds and pictures")
    parser.add_argument("--sound", type=pathlib.Path, default=RECORDING,
                        help="the recording of example 02")
    args = parser.parse_args()
    if not args.sound.exists():
        sys.exit(f"error: the recording {args.sound} is missing; install it "
                 "with 'apt-get install alsa-utils', or give --sound=FILE.wav")
    args.device = args.device or ("cuda:0" if cuda_devices() else "cpu")
    demo = Demo(args)
    print(f"mamba-mlir on {args.device}")
    demo_layer(demo)
    demo_audio(demo, args.sound)


if __name__ == "__main__":
    main()
