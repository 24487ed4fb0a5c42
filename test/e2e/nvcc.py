#!/usr/bin/env python3
"""nvcc takes the CUDA C++ of random fused bodies, and warns of nothing.

The bodies are those of e2e-numerics' cases of kind translate, which NVRTC
compiles; here each becomes one binary for all architectures. Skipped where
there is no nvcc. (The examples: test/codegen/nvcc.test.)
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77  # The exit status that ctest is told means "skipped".
ARCHITECTURES = [80, 90, 100, 120]


def run(*command):
    return subprocess.run([str(word) for word in command], check=True,
                          capture_output=True, text=True).stdout


def compile_case(case, number, tools, nvcc, folder):
    """What was wrong, or None."""
    module, source = folder / f"{number}.mlir", folder / f"{number}.cu"
    try:
        module.write_text(run(tools / "e2e-numerics", "--print",
                              f"--case={case}"))
        run(tools / "mamba-translate", module, "--to=cuda",
            f"--target=sm_{ARCHITECTURES[0]}", "-o", source)
        run(nvcc, "-std=c++17", "-fmad=false", "-Werror", "all-warnings",
            *[f"-gencode=arch=compute_{arch},code=sm_{arch}"
              for arch in ARCHITECTURES],
            "-fatbin", source, "-o", source.with_suffix(".fatbin"))
    except subprocess.CalledProcessError as error:
        return f"{error.cmd}\n{error.stdout}{error.stderr}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True,
                        help="folder of the tools")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=pathlib.Path)
    arguments = parser.parse_args()
    nvcc = shutil.which("nvcc", path=os.pathsep.join(
        [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]))
    if not nvcc:
        print("skipped: there is no nvcc in PATH or /usr/local/cuda/bin")
        return SKIPPED
    cases = run(arguments.bin / "e2e-numerics", "--list",
                f"--translate={arguments.count}",
                "--filter=body=random").splitlines()
    if len(cases) < arguments.count:
        print(f"error: found {len(cases)} cases, required {arguments.count}")
        return 1
    results = []
    with (tempfile.TemporaryDirectory() as folder,
          concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool):
        tries = [pool.submit(compile_case, case, number, arguments.bin, nvcc,
                             pathlib.Path(folder))
                 for number, case in enumerate(cases)]
        for case, tried in zip(cases, tries):
            wrong = tried.result()
            results.append({"name": case,
                            "outcome": "failed" if wrong else "passed"})
            if wrong:
                print(f"FAILED {case}\n{wrong}", flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1))
    failed = sum(result["outcome"] == "failed" for result in results)
    print(f"nvcc: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
