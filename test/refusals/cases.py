"""The format of test/refusals/*.cases: what is given to a tool, what it says.

    == Title                    a group; the lines below it explain it
    name: command               one case, run by sh in an empty folder
      message                   what the tool says, line by line
      > advice                  for docs/errors.md, where the message is not enough

What is before ` ;; ` in a command prepares it. In a message `...` stands for any text of a line, and for any lines where it is
alone. %tool in a command stands for each tool of TOOLS in turn, nobody before
it runs it as a user who may read nothing. Files that inputs.py knows are made
if the command names them. Lines that start with # are skipped.
"""

import dataclasses
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent

# The tools that read a module through the same door, as they are called in all
# cases of that door.
TOOLS = {
    "mamba-run": "mamba-run --random --extents=B=1,L=4,D=3",
    "mamba-translate": "mamba-translate --to=asm",
    "mamba-export": "mamba-export -o made --targets=sm_90 --forms=ptx",
    "mamba-tune": "mamba-tune --device=cpu --random --extents=B=1,L=4,D=3 "
                  "--seconds=1",
}


@dataclasses.dataclass
class Case:
    path: pathlib.Path
    number: int  # Of its first line, from 1.
    group: str
    name: str
    command: str
    message: list = dataclasses.field(default_factory=list)
    advice: list = dataclasses.field(default_factory=list)

    @property
    def is_warning(self):
        """The tool does without what it refuses, and its work all the same."""
        return (self.message[:1] and self.message[0].startswith("mamba: warning")
                and not any(line.startswith("error") for line in self.message))

    def runs(self):
        """(name, command) of each time that it is run."""
        if "%tool" not in self.command:
            return [(self.name, self.command)]
        return [(f"{self.name} [{tool}]", self.command.replace("%tool", line))
                for tool, line in TOOLS.items()]

    def matches(self, lines):
        """Whether `lines` are the message."""
        pattern = "".join(
            r"(?:.*\n)*" if line == "..."
            else ".*".join(map(re.escape, line.split("..."))) + r"\n"
            for line in self.message)
        return re.fullmatch(pattern, "".join(line + "\n" for line in lines))


@dataclasses.dataclass
class Group:
    title: str
    text: list = dataclasses.field(default_factory=list)
    cases: list = dataclasses.field(default_factory=list)


def read_file(path):
    """The groups of one file."""
    groups = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("== "):
            groups.append(Group(line[3:]))
        elif line.startswith("  > "):
            groups[-1].cases[-1].advice.append(line[4:])
        elif line.startswith("  "):
            groups[-1].cases[-1].message.append(line[2:])
        elif groups and not groups[-1].cases and ": " not in line:
            groups[-1].text.append(line)
        else:
            name, _, command = line.partition(": ")
            if not groups or not command:
                raise SystemExit(f"error: {path}:{number}: found '{line}', "
                                 "required '== Title' or 'name: command'")
            groups[-1].cases.append(
                Case(path, number, groups[-1].title, name, command))
    return groups


def read_all():
    """The groups of all files, in the order of their names."""
    return [group for path in sorted(HERE.glob("*.cases"))
            for group in read_file(path)]
