#!/usr/bin/env python3
"""Writes what the portable library must hold and export for its programs.

Reads object files and archives of the programs with nm. --undefined gets
linker options that pull in every symbol the programs lack; --version-script
exports these, and the data that programs and library may both define (inline
variables, vtables, type information), which must be one object in a process.
All else in the library stays hidden and, where unused, is dropped.
"""

import argparse
import pathlib
import subprocess

SHARED_DATA = "VvuBD"


def symbols(nm, files):
    """(type letter, name) of every global symbol in the files."""
    listing = subprocess.run([nm, "--extern-only", "--format=posix",
                              "--quiet", *files],
                             capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        fields = line.split()
        if len(fields) >= 2 and not fields[0].endswith(":"):
            yield fields[1], fields[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nm", required=True)
    parser.add_argument("--undefined", required=True, type=pathlib.Path)
    parser.add_argument("--version-script", required=True, type=pathlib.Path)
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()

    needed, defined, data = set(), set(), set()
    for letter, name in symbols(args.nm, args.files):
        if letter in "Uw":
            needed.add(name)
        else:
            defined.add(name)
            if letter in SHARED_DATA:
                data.add(name)
    # The programs' own main and the like are no business of the library. A
    # test that replaces operator new or delete does so for itself alone.
    replaced = {name for name in defined
                if name.startswith(("_Znw", "_Zna", "_Zdl", "_Zda",
                                    "_ZNSt7__cxx1112basic_stringIcSt11"))}
    needed = sorted((needed - defined) | (needed & replaced))
    exported = sorted(set(needed) | data)
    args.undefined.write_text("".join(f"-Wl,-u,{name}\n" for name in needed))
    args.version_script.write_text(
        "{\n  global:\n" + "".join(f"    {name};\n" for name in exported)
        + "  local: *;\n};\n")


if __name__ == "__main__":
    main()
