#!/usr/bin/env python3
"""How the simt device and a GPU agree, as one record.

  e2e-numerics --device=simt --against=cuda:0 --malformed=0 --report=simt.json
  e2e-numerics --device=simt --malformed=0 --print >cases.mlir
  simt_record.py simt.json cases.mlir --commit=COMMIT >bench/results/simt-h100.json

Both devices run the same code, except that a GPU approximates ex2, lg2 and sqrt
(the PTX ISA gives the bounds), where simt rounds correctly, and that each back
end chooses which of a complex product's two products joins an fma. So a case
with neither must agree bit for bit: exits with 1 where one does not, or where
nothing was compared.
"""

import argparse
import json
import pathlib
import re
import sys

# Real functions that are computed without ex2, lg2 and sqrt. All other functions use one.
EXACT = {"absf", "atan", "atan2", "cbrt", "ceil", "copysign", "cos", "erf",
         "floor", "fma", "round", "roundeven", "sin", "tan", "trunc"}
EXPONENTIAL_RULES = {"mamba", "zoh"}
EXPONENTIAL_GATES = {"silu", "sigmoid"}


def read_modules(path):
    """The text of each case's module, by the case's name in its first line."""
    modules, name = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("// "):
            name = line[3:].strip()
            modules[name] = []
        elif name:
            modules[name].append(line)
    return {name: "\n".join(lines) for name, lines in modules.items()}


def differences(module):
    """What in a module the two devices may round differently."""
    found = set(re.findall("complex<", module))
    found |= set(re.findall(r"\bmath\.(\w+)", module)) - EXACT
    found |= set(re.findall(r"ssm\.discretize (\w+)",
                            module)) & EXPONENTIAL_RULES
    return found | set(re.findall(r"ssm\.gate (\w+)",
                                  module)) & EXPONENTIAL_GATES


def summary(cases):
    ulps = [case["ulps"] for case in cases]
    return {"cases": len(ulps), "bit_identical": ulps.count(0),
            "within_2_ulp": sum(u <= 2 for u in ulps),
            "largest_ulp": max(ulps, default=0)}


def largest_by_operation(cases):
    largest = {}
    for case in cases:
        found = re.search(r"body=math op=([\w.]+)", case["name"])
        name = found.group(1) if found else None
        if name:
            largest[name] = max(largest.get(name, 0), case["ulps"])
    return dict(sorted(largest.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("--gpu", default="NVIDIA H100 80GB HBM3")
    parser.add_argument("--commit")
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text())
    modules = read_modules(arguments.cases)
    compared = [case for case in report["cases"] if case.get("ulps") is not None]
    exact = [case for case in compared
             if not differences(modules[case["name"]])]
    random = [case for case in compared if "body=random" in case["name"]]
    record = {
        "devices": ["simt", "cuda:0"],
        "gpu": arguments.gpu,
        "commit": arguments.commit, "all": summary(compared),
        "same_arithmetic": summary(exact),
        "random_bodies": summary(random),
        "operations_largest_ulp": largest_by_operation(compared),
    }
    json.dump(record, sys.stdout, indent=1)
    print()
    for case in exact:
        if case["ulps"]:
            print(f"{case['ulps']} ulp in the same arithmetic: "
                  f"{case['name']}", file=sys.stderr)
    if not exact or any(case["ulps"] for case in exact):
        sys.exit(1)


if __name__ == "__main__":
    main()
