#!/usr/bin/env python3
"""Which way to share a sequence wins where: a sweep, its record and its picture.

Four corners of the schedule space, each in a few variants of which the fastest
counts, over sequences times channels and lengths:

  serial    a thread takes a channel's whole sequence
  lanes     the lanes of a warp share a sequence by shuffles
  warps     so do warps of a block, by Blelloch's scan in shared memory
  chunks    so do blocks: two passes, or states handed on in one launch

  bench/corners.py --mamba-tune build/dev/bin/mamba-tune \\
      --record bench/results/corners-h100.json --picture docs/corners-h100.svg
  bench/corners.py --draw bench/results/corners-h100.json --picture F.svg
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import gpu

WIDTHS = [512, 2048, 8192, 32768, 65536]
LENGTHS = [64, 256, 1024, 4096, 16384, 65536, 262144]
MOST_ELEMENTS = 1 << 27

WIDE = "items = 16, stages = 2, prefetch = 1, min_blocks = 2"
DEEP = "items = 8, unroll = 2, stages = 2, prefetch = 1, min_blocks = 3"
FEW = "items = 8, unroll = 2, stages = 2, prefetch = 1"
CORNERS = {
    "serial": ["items = 16, unroll = 4, min_blocks = 12",
               "items = 16, unroll = 4, warps_d = 4"],
    "lanes": [f"lanes = 2, warps_d = 4, {WIDE}",
              f"lanes = 8, warps_d = 4, {WIDE}",
              f"lanes = 32, warps_d = 4, {DEEP}"],
    "warps": [f"lanes = 32, warps_l = 2, warps_d = 2, {DEEP}",
              f"lanes = 16, warps_l = 4, {FEW}",
              f"lanes = 8, warps_l = 4, {FEW}"],
    "chunks": [f"lanes = 8, warps_d = 4, chunks = 4, handoff = 1, {WIDE}",
               f"lanes = 8, warps_d = 4, chunks = 8, {WIDE}",
               f"lanes = 2, warps_d = 4, chunks = 32, {WIDE}"],
}
COLOURS = {"serial": "#4477aa", "lanes": "#228833", "warps": "#ccbb44",
           "chunks": "#ee6677"}


def batch_of(width):
    """Sequences and channels that together are `width`."""
    return (1, width) if width <= 2048 else (width // 2048, 2048)


def measure(arguments, width, length, folder):
    """Microseconds of every schedule, as a record of one cell."""
    batch, channels = batch_of(width)
    report = pathlib.Path(folder) / "report.json"
    # Lanes lead: they run everywhere.
    names = ["lanes", "serial", "warps", "chunks"]
    schedules = [f"#ssm.schedule<{fields}>"
                 for name in names for fields in CORNERS[name]]
    subprocess.run(
        [arguments.mamba_tune,
         str(gpu.layer("s6-forward", 16, "bf16", folder)),
         f"--device={arguments.device}", "--random", "--show=0",
         f"--extents=B={batch},L={length},D={channels}", "--seconds=600",
         f"--report={report}", *gpu.ORDERS["bdl"],
         *[f"--schedule={schedule}" for schedule in schedules]],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told = json.loads(report.read_text())
    fastest = {}
    # A schedule is told in the order it was given in.
    variants = [name for name in names for _ in CORNERS[name]]
    for name, candidate in zip(variants, told["candidates"]):
        if candidate["outcome"] == "timed" and (
                name not in fastest or candidate["us"] < fastest[name]["us"]):
            fastest[name] = {"us": round(candidate["us"], 2),
                             "schedule": candidate["schedule"]}
    return {"kernel": "s6-forward", "B": batch, "D": channels, "L": length,
            "N": 16, "dtype": "bf16", "layout": "bdl", "gpu": told["model"],
            "commit": arguments.commit, "corners": fastest}


def winner_of(record):
    return min(record["corners"], key=lambda n: record["corners"][n]["us"])


def cell(record, x, y, width, height):
    winner = winner_of(record)
    times = sorted(corner["us"] for corner in record["corners"].values())
    lead = times[1] / times[0] if len(times) > 1 else 1
    text = f"{times[0]:.0f} us" if times[0] >= 10 else f"{times[0]:.1f} us"
    middle = x + width / 2
    return (f'<rect x="{x}" y="{y}" width="{width - 2}" height="{height - 2}" '
            f'fill="{COLOURS[winner]}"/>\n'
            f'<text x="{middle}" y="{y + 17}" fill="white">{text}</text>\n'
            f'<text x="{middle}" y="{y + 33}" fill="white">{lead:.2f}x</text>')


def picture(records):
    """SVG: a cell is the winner's colour, its time, and its lead over the
    second."""
    widths = sorted({r["B"] * r["D"] for r in records})
    lengths = sorted({r["L"] for r in records})
    w, h, left, top = 90, 42, 90, 60
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" '
             f'width="{left + w * len(lengths) + 10}" '
             f'height="{top + h * len(widths) + 50}" font-family="sans-serif" '
             'font-size="13" text-anchor="middle">',
             '<rect width="100%" height="100%" fill="white"/>',
             f'<text x="{left}" y="20" text-anchor="start">Fastest corner of '
             'the schedule space, its time, its lead over the next: '
             f'S6, N = 16, bf16, {records[0]["gpu"]}</text>']
    for i, (name, colour) in enumerate(COLOURS.items()):
        x = left + 130 * i
        lines.append(f'<rect x="{x}" y="32" width="14" height="14" '
                     f'fill="{colour}"/><text x="{x + 20}" y="44" '
                     f'text-anchor="start">{name}</text>')
    for record in records:
        row = len(widths) - 1 - widths.index(record["B"] * record["D"])
        lines.append(cell(record, left + w * lengths.index(record["L"]),
                          top + h * row, w, h))
    for i, length in enumerate(lengths):
        lines.append(f'<text x="{left + w * i + w / 2}" '
                     f'y="{top + h * len(widths) + 18}">{length}</text>')
    for i, width in enumerate(reversed(widths)):
        lines.append(f'<text x="{left - 10}" y="{top + h * i + 25}" '
                     f'text-anchor="end">{width}</text>')
    lines.append(f'<text x="{left + w * len(lengths) / 2}" '
                 f'y="{top + h * len(widths) + 38}">steps (rows: sequences '
                 'times channels)</text></svg>')
    return "\n".join(lines) + "\n"


def sweep(arguments):
    records = []
    with tempfile.TemporaryDirectory() as folder:
        for width in WIDTHS:
            for length in LENGTHS:
                if width * length > MOST_ELEMENTS:
                    continue
                record = measure(arguments, width, length, folder)
                records.append(record)
                winner = winner_of(record)
                print(f"{width:6} x {length:6}: {winner:7}"
                      + "".join(f"  {name} {corner['us']:.1f}"
                                for name, corner in record["corners"].items()),
                      flush=True)
    return records


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mamba-tune")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--commit", default=gpu.head_commit())
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--draw", type=pathlib.Path)
    parser.add_argument("--picture", type=pathlib.Path)
    arguments = parser.parse_args()
    if bool(arguments.draw) == bool(arguments.mamba_tune):
        sys.exit("give --mamba-tune to measure, or --draw to draw a record")
    if arguments.draw:
        records = json.loads(arguments.draw.read_text())
    else:
        records = sweep(arguments)
    if arguments.record:
        arguments.record.write_text(json.dumps(records, indent=1) + "\n")
    if arguments.picture:
        arguments.picture.write_text(picture(records))


if __name__ == "__main__":
    main()
