"""docs/errors.md from test/refusals/*.cases, whose messages are what the tools
said when the test ran last."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "refusals"))
sys.dont_write_bytecode = True

import cases  # noqa: E402: it lies beside the test that reads it too.

HEAD = """\
<!-- Made by docs/generate.py from test/refusals/*.cases: edit those, run `make docs`. -->

# What the tools refuse

Input, and what is said of it on standard error. A tool that refuses something
exits with 1, prints no result and leaves no new file; it never ends by a signal.
`...` stands for more of a line, or for more lines. The test `refusals` runs every
line of these tables and compares. mamba-opt speaks as MLIR's own tools do, with
the place first; the others say `error:` first, then the place.

How to read a message: `FILE:LINE:COLUMN` is a place in a module, `byte N` one in
a file of tensors, `--flag=value` the argument that is meant, `'name'` a tensor, a
file or a function.
"""


def code(text):
    """`text` as code in a cell of a table."""
    return "`` " + text.replace("|", "\\|").rstrip() + " ``" if text else ""


def shown(command):
    """A command as a person would type it."""
    for old, new in (("%tool", "TOOL"), ("%here/../../", ""), ("%here/", ""), ("nobody ", ""),
                     (" > /dev/null 2>&1", ""), (" > /dev/null", ""),
                     (" ;; ", "; ")):
        command = command.replace(old, new)
    return command


def row(case):
    said = "<br>".join(code(line) for line in case.message)
    advice = " ".join(case.advice).replace("|", "\\|")
    return (f"| {case.name}<br>{code(shown(case.command))} | {said}"
            f"{'<br>' + advice if advice else ''} |")


def render():
    """The page."""
    parts = [HEAD]
    for group in cases.read_all():
        text = "\n".join(group.text)
        parts.append(f"## {group.title}\n" + (f"\n{text}\n" if text else "")
                     + "\n| given | said |\n| --- | --- |\n"
                     + "\n".join(row(case) for case in group.cases) + "\n")
    return "\n".join(parts)
