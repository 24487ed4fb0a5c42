#!/usr/bin/env python3
"""Example 05 as its README has it: exported, built without LLVM, run, broken.

  ship.py --bin BUILD/bin [--require]

Where there is no GPU, everything is built all the same, and the program has to
say what is missing. With --require that is a failure.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
SKIPPED = 77  # The exit status that ctest is told means "skipped".
MAX_LOADER_BYTES = 1_000_000
MAX_COLD_MILLIS = 5.0


class Failure(Exception):
    """A check that did not hold, and why."""


def run(*command, fails_with=None):
    """The output of a command that has to succeed, or else to fail with a text
    in what it says."""
    done = subprocess.run([str(word) for word in command], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = f"{' '.join(str(word) for word in command)}\n{done.stdout}"
    if fails_with is None and done.returncode != 0:
        raise Failure(f"exit status {done.returncode}: {said}")
    if fails_with is not None and (done.returncode != 1
                                   or fails_with not in done.stdout):
        raise Failure(f"exit status {done.returncode}, required is 1 and "
                      f"'{fails_with}': {said}")
    return done.stdout


def find(*names):
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/cuda/bin"])
    return next(filter(None, (shutil.which(name, path=path) for name in names)),
                None)


class Ship:
    """The checks; each is a method that raises Failure."""

    def __init__(self, tools, folder):
        self.tools, self.folder = tools, folder
        self.library = tools.parent / "lib" / "libmamba_loader.so"
        self.bundle, self.program = folder / "s6.bundle", folder / "ship"
        headers = [tools.parent / "include", EXAMPLES.parent / "runtime/loader"]
        self.header = next(path for path in headers
                           if (path / "mamba_loader.h").exists())
        self.module = EXAMPLES / "01-selective-scan/selective_scan.mlir"
        self.has_gpu = False

    def export(self):
        run(self.tools / "mamba-export", self.module, "-o", self.bundle,
            "--grad", "--save=every=32", "--for=B=8,L=2048,D=2048")

    def header_is_c(self):
        source = self.folder / "header.c"
        source.write_text('#include "selective_scan_bundle.h"\nint main(void) '
                          '{ return selective_scan_open("", 0) == MAMBA_OK; }\n')
        run(find("cc", "gcc", "clang-22"), "-std=c99", "-pedantic", "-Wall",
            "-Wextra", "-Werror", f"-I{self.header}", f"-I{self.bundle}",
            "-fsyntax-only", source)

    def builds(self):
        run(find("c++", "g++", "clang++-22"), "-std=c++17", "-O2", "-Wall",
            "-Wextra", "-Werror", f"-I{self.header}", f"-I{self.bundle}",
            EXAMPLES / "05-ship/ship.cpp", f"-L{self.library.parent}",
            "-lmamba_loader", f"-Wl,-rpath,{self.library.parent}", "-o",
            self.program)

    def needs_no_llvm(self):
        """All that is loaded comes with libc, libstdc++ and our loader."""
        def libraries(path):
            return set(re.findall(r"^\s*(\S+\.so[.\d]*)", run("ldd", path), re.M))
        loaded = {pathlib.Path(name).name for name in libraries(self.program)}
        names = r"linux-vdso|ld-linux|lib(c|m|dl|stdc\+\+|gcc_s|mamba_loader)\.so"
        foreign = [name for name in loaded if not re.match(names, name)]
        if foreign or "libmamba_loader.so" not in loaded:
            raise Failure(f"the program loads {sorted(loaded)}")

    def loader_is_small(self):
        strip = find("strip", "llvm-strip-22") or "/usr/lib/llvm-22/bin/llvm-strip"
        stripped = self.folder / "loader.so"
        run(strip, "-o", stripped, self.library)
        if stripped.stat().st_size >= MAX_LOADER_BYTES:
            raise Failure(f"{stripped.stat().st_size} bytes, required are under "
                          f"{MAX_LOADER_BYTES}")

    def changed_manifest_is_refused(self):
        manifest = self.bundle / "manifest.json"
        whole = manifest.read_bytes()
        for bad, text in ((whole.replace(b'"save_every": 3', b'"save_every": 6'),
                           "its checksum does not match"),
                          (whole[:len(whole) // 2], "is no JSON")):
            manifest.write_bytes(bad)
            run(self.program, self.bundle, fails_with=text)
        manifest.write_bytes(whole)

    def other_bundle_is_refused(self):
        other = self.folder / "other.bundle"
        run(self.tools / "mamba-export", self.module, "-o", other,
            "--targets=sm_90", "--forms=ptx")
        run(self.program, other,
            fails_with="another one than the program was built for")

    def runs(self):
        if not self.has_gpu:
            run(self.program, self.bundle,
                fails_with="the CUDA driver library was not found")
            return
        said = run(self.program, self.bundle)
        print(said, end="")
        if said.count(": right") != 2:
            raise Failure(said)

    def starts_fast(self):
        """Opening, and loading up to the launch, after CUDA's own start."""
        if not self.has_gpu:
            return
        best = min(sum(map(float, re.findall(r"in ([\d.]+) ms",
                                             run(self.program, self.bundle))))
                   for _ in range(5))
        print(f"opened, loaded and launched in {best:.2f} ms")
        if best >= MAX_COLD_MILLIS:
            raise Failure(f"{best} ms, required are under {MAX_COLD_MILLIS}")

    def changed_code_is_refused(self):
        if not self.has_gpu:
            return
        for code in self.bundle.glob("*.cubin"):
            whole = bytearray(code.read_bytes())
            whole[len(whole) // 2] ^= 1
            code.write_bytes(whole)
        run(self.program, self.bundle, fails_with="is not what was exported")

    def plain_cuda(self):
        nvcc = find("nvcc")
        if not nvcc:
            print("plain CUDA: skipped, there is no nvcc")
            return
        exported, program = self.folder / "plain", self.folder / "plain.exe"
        run(self.tools / "mamba-export", self.module, "-o", exported,
            "--targets=sm_90", "--forms=cuda")
        run(nvcc, "-std=c++17", "-arch=sm_90", "-fmad=false", "-Werror",
            "all-warnings", f"-I{exported}",
            '-DKERNEL_FILE="selective_scan.sm_90.cu"',
            EXAMPLES / "05-ship/plain.cu", "-o", program)
        if self.has_gpu:
            print(run(program), end="")


CHECKS = [Ship.export, Ship.header_is_c, Ship.builds, Ship.needs_no_llvm,
          Ship.loader_is_small, Ship.changed_manifest_is_refused,
          Ship.other_bundle_is_refused, Ship.runs, Ship.starts_fast,
          Ship.changed_code_is_refused, Ship.plain_cuda]


def has_gpu():
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True,
                          check=False) if find("nvidia-smi") else None
    return bool(done and done.returncode == 0 and "GPU 0" in done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True,
                        help="folder of the tools, beside that of the loader, lib")
    parser.add_argument("--require", action="store_true",
                        help="fail where there is no GPU")
    parser.add_argument("--output", type=pathlib.Path)
    arguments = parser.parse_args()
    if not find("c++", "g++", "clang++-22"):
        print("skipped: there is no C++ compiler")
        return SKIPPED
    results = []
    with tempfile.TemporaryDirectory() as folder:
        ship = Ship(arguments.bin.resolve(), pathlib.Path(folder))
        ship.has_gpu = has_gpu()
        if arguments.require and not ship.has_gpu:
            print("error: there is no GPU, which --require asks for")
            return 1
        for check in CHECKS:
            wrong = None
            try:
                check(ship)
            except (Failure, OSError) as failure:
                wrong = str(failure)
                print(f"FAILED {check.__name__}\n{wrong}", flush=True)
            results.append({"name": check.__name__,
                            "outcome": "failed" if wrong else "passed"})
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1))
    failed = sum(result["outcome"] == "failed" for result in results)
    print(f"ship: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
