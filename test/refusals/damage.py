"""Files with random bytes changed or cut off: the tools may take or refuse them,
and never crash, hang or refuse them without a word."""

import concurrent.futures
import pathlib
import random
import subprocess
import tempfile

import commands
import inputs

CUTS = 12

# (file, how often it is damaged, the command that reads it)
SUBJECTS = [
    ("ema.mlir", 50, "mamba-opt --ssm-fuse ema.mlir"),
    ("ema.mlirbc", 200, "mamba-opt --ssm-fuse ema.mlirbc"),
    ("ema.mlirbc", 200, "mamba-translate --to=schedule ema.mlirbc"),
    ("u.npy", 50, "mamba-run --device=reference --random u.mlir --input=u=u.npy"),
    ("u.safetensors", 50, "mamba-run --device=reference --random u.mlir "
                           "--input=u=u.safetensors:u"),
    ("u.wav", 50, "mamba-run --device=reference --random u.mlir --input=u=u.wav"),
    ("manifest.json", 30, "python3 %here/open_bundle.py ."),
]


def damaged(content, count):
    """(what was done, the bytes after it), the same in every run."""
    for i in range(CUTS):
        end = len(content) * i // CUTS
        yield f"cut to {end} bytes", content[:end]
    numbers = random.Random(2026)
    for _ in range(count):
        changed = bytearray(content)
        bits = [numbers.randrange(8 * len(content))
                for _ in range(numbers.choice((1, 1, 4)))]
        for bit in bits:
            changed[bit // 8] ^= 1 << bit % 8
        yield f"bits {bits} flipped", bytes(changed)


def fault(command, files, environment):
    """What is wrong with how `command` ends where `files` are, or None."""
    with tempfile.TemporaryDirectory(prefix="mamba-damaged-") as scratch:
        folder = pathlib.Path(scratch)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        status, _, said = commands.run_in(folder, command, environment)
    if status not in (0, 1):
        return f"exit status {status}"
    if status == 1 and not any(said):
        return "refused without a word"
    crash = next((c for c in commands.CRASHES if any(c in line for line in said)), None)
    return f"it said '{crash}'" if crash else None


def originals(file, environment):
    """The files that a command on the undamaged `file` finds."""
    if file == "manifest.json":
        return inputs.bundle(environment["BIN"])
    return {file: inputs.FILES[file](), "u.mlir": inputs.FILES["ema.mlir"]()}


def outcome(file, count, command, environment):
    environment = dict(environment, MAMBA_CACHE="off")
    files = originals(file, environment)
    # Else all damage would be refused for another reason.
    if fault(command + " > /dev/null && exit 7", files, environment) != (
            "exit status 7"):
        print(f"{command}: fails with the file as it was")
        return "failed"
    variants = list(damaged(files[file], count))
    with concurrent.futures.ThreadPoolExecutor(commands.JOBS) as pool:
        found = list(pool.map(
            lambda variant: fault(command, {**files, file: variant[1]},
                                  environment), variants))
    for (what, _), wrong in zip(variants, found):
        if wrong:
            print(f"{command}: {file} with {what}: {wrong}", flush=True)
    return "failed" if any(found) else "passed"


def checks(environment):
    """(name, function that gives the outcome) of each subject."""
    for subject in SUBJECTS:
        yield (f"damaged {subject[0]}: {subject[2]}",
               lambda subject=subject: outcome(*subject, environment))
