#!/usr/bin/env python3
"""Writes docs/reference from the TableGen files, and docs/errors.md from the
tests of what is refused; --check only compares.

The pages are committed, so that they can be read without building; a test runs
this with --check.
"""

import argparse
import pathlib
import subprocess
import sys

import errors

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = {
    "dialect.md": ["dialect/SSMOps.td", "-gen-dialect-doc", "-dialect=ssm"],
    "passes.md": ["passes/Passes.td", "-gen-pass-doc"],
    "codegen-passes.md": ["codegen/Passes.td", "-gen-pass-doc"],
}


def render(tblgen, td, *options):
    """The Markdown that mlir-tblgen writes for one .td file."""
    include = pathlib.Path(tblgen).resolve().parent.parent / "include"
    done = subprocess.run(
        [tblgen, *options, f"-I{ROOT}", f"-I{include}", str(ROOT / td)],
        capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: mlir-tblgen failed on {td}:\n{done.stderr}")
    # mlir-tblgen leaves blanks at line ends.
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return "\n".join(lines).rstrip() + "\n"


def pages(tblgen):
    """(path, text) of each page."""
    for page, command in PAGES.items():
        if (ROOT / command[0]).exists():
            yield ROOT / "docs" / "reference" / page, render(tblgen, *command)
    yield ROOT / "docs" / "errors.md", errors.render()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tblgen", default="/usr/lib/llvm-22/bin/mlir-tblgen")
    parser.add_argument("--check", action="store_true",
                        help="fail where a page is not up to date")
    args = parser.parse_args()
    stale = []
    for path, text in pages(args.tblgen):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_text() == text:
            continue
        stale.append(path.name)
        if not args.check:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    if args.check and stale:
        sys.exit("error: docs are out of date (" + ", ".join(stale)
                 + "): run `make docs` and commit the result")


if __name__ == "__main__":
    main()
