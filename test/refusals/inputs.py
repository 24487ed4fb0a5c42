"""The files that the commands of *.cases name, good ones and bad ones.

A file is a function's bytes, the same in every run; each is made when a command
names it.
"""

import functools
import json
import pathlib
import random
import re
import struct
import subprocess
import tempfile

TEST = pathlib.Path(__file__).resolve().parent.parent
MLIR_OPT = "/usr/lib/llvm-22/bin/mlir-opt"
EMA = (TEST / "tools/Inputs/ema.mlir").read_bytes()


def garbage(count):
    return random.Random(1).randbytes(count)


def function(body="return %u : tensor<?x?x?xf32>", name="f", attributes=""):
    """A function of one tensor."""
    return (f"func.func @{name}(%u: tensor<?x?x?xf32>) -> tensor<?x?x?xf32>"
            f"{attributes} {{\n  {body}\n}}\n").encode()


def cut(text, after):
    """`text` up to the end of the first `after`."""
    return text[:text.index(after) + len(after)]


def alias_chain(levels):
    """A function with an attribute that nests without brackets."""
    chain = "".join(f"#t{i + 1} = [#t{i}]\n" for i in range(levels))
    return f"#t0 = 1\n{chain}".encode() + function(
        attributes=f" attributes {{x.a = #t{levels}}}")


# What the parser of text reads.
MODULES = {
    "ema.mlir": lambda: EMA,
    "empty.mlir": lambda: b"",
    "garbage.mlir": lambda: garbage(4096),
    "zeros.mlir": lambda: bytes(4096),
    "nul.mlir": lambda: EMA.replace(b"func.func", b"func\0func"),
    "cut-type.mlir": lambda: cut(EMA, b"tensor<?x?x"),
    "cut-list.mlir": lambda: cut(EMA, b"iterator_types = ["),
    "cut-operand.mlir": lambda: cut(EMA, b"math.exp"),
    "cut-results.mlir": lambda: cut(EMA, b"-> (tensor<?x?x?xf32>"),
    "cut-string.mlir": lambda: b'module attributes {x.a = "abc',
    "parentheses.mlir": lambda: b"(" * 100000,
    "regions.mlir": lambda: b"module {\n" * 100000,
    "regions-10000.mlir": lambda: b"module {\n" * 10000 + b"}\n" * 10000,
    "lists.mlir": lambda: b"module attributes {x.a = " + b"[" * 100000
                          + b"]" * 100000 + b"} {}",
    "types.mlir": lambda: b"func.func private @f(" + b"tuple<" * 100000
                          + b">" * 100000 + b")",
    "locations.mlir": lambda: b"module {} loc(" + b"callsite(unknown at "
                              * 100000 + b"unknown" + b")" * 100001,
    "aliases.mlir": lambda: alias_chain(50000),
    "affine.mlir": lambda: b"module attributes {x.a = affine_map<(i) -> (i"
                           + b" mod 3 floordiv 2" * 2000 + b")>} {}",
    "no-function.mlir": lambda: b"module {\n}\n",
    "declaration.mlir": lambda: b"func.func private @f(tensor<4xf32>)\n",
    "two.mlir": lambda: function(name="f") + function(name="g"),
    "unknown-op.mlir": lambda: function("%0 = ssm.convolve %u : f32"),
    "unknown-dialect.mlir": lambda: function('"triton.load"() : () -> ()'),
    "unknown-field.mlir": lambda: function(
        attributes=" attributes {ssm.a = #ssm.schedule<version = 2>}"),
    "unknown-axis.mlir": lambda: function(
        attributes=" attributes {ssm.a = #ssm.access<q>}"),
    "integer.mlir": lambda: b"func.func @f(%u: tensor<4xi32>) -> tensor<4xi32> "
                            b"{\n  return %u : tensor<4xi32>\n}\n",
    "memref.mlir": lambda: b"func.func @f(%u: memref<4xf32>) -> memref<4xf32> "
                           b"{\n  return %u : memref<4xf32>\n}\n",
    "negative.mlir": lambda: b"func.func private @f(tensor<-1xf32>)\n",
    "overflow.mlir": lambda: b"func.func private @f(tensor<99999999999999999999"
                             b"xf32>)\n",
    "loop.mlir": lambda: b"func.func @f(%u: tensor<4xf32>) -> tensor<4xf32> {\n"
                         b"  %0 = func.call @f(%u) : (tensor<4xf32>) -> "
                         b"tensor<4xf32>\n  return %0 : tensor<4xf32>\n}\n",
    "call.mlir": lambda: b"func.func private @other(f32) -> f32\n" + function(
        "%y = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : "
        "tensor<?x?x?xf32>) {\n    %e = func.call @other(%x) : (f32) -> f32\n"
        "    ssm.yield %e : f32\n  }\n  return %y : tensor<?x?x?xf32>"),
    "division.mlir": lambda: function(
        "%y = ssm.fused (%x = %u[b, l, d] : tensor<?x?x?xf32>) -> ([b, l, d] : "
        "tensor<?x?x?xf32>) {\n    %i = arith.fptosi %x : f32 to i32\n"
        "    %zero = arith.constant 0 : i32\n"
        "    %q = arith.divsi %i, %zero : i32\n"
        "    %e = arith.sitofp %q : i32 to f32\n"
        "    ssm.yield %e : f32\n  }\n  return %y : tensor<?x?x?xf32>"),
    "assembly.mlir": lambda: function(
        '%r = "llvm.inline_asm"() <{asm_string = "syscall", constraints = "=r", '
        "has_side_effects}> : () -> i32\n  return %u : tensor<?x?x?xf32>"),
    "load.mlir": lambda: b"func.func @f(%p: memref<4xf32>) -> f32 {\n  %c = "
                         b"arith.constant 5 : index\n  %v = memref.load %p[%c] "
                         b": memref<4xf32>\n  return %v : f32\n}\n",
    "shapes.mlir": lambda: b"func.func @f(%a: tensor<2x3x4xf32>, %b: "
                           b"tensor<2x3x5xf32>) {\n  %0:2 = \"ssm.scan\"(%a, %b)"
                           b" : (tensor<2x3x4xf32>, tensor<2x3x5xf32>) -> "
                           b"(tensor<2x3x4xf32>, tensor<2x4xf32>)\n  return\n}\n",
    "dtypes.mlir": lambda: b"func.func @f(%a: tensor<2x3x4xf32>, %b: "
                           b"tensor<2x3x4xf64>) {\n  %0:2 = \"ssm.scan\"(%a, %b)"
                           b" : (tensor<2x3x4xf32>, tensor<2x3x4xf64>) -> "
                           b"(tensor<2x3x4xf32>, tensor<2x4xf32>)\n  return\n}\n",
    "one-name.mlir": lambda: EMA.replace(
        b"%rate: tensor<?xf32>)", b'%rate: tensor<?xf32> {ssm.name = "u"})'),
    "gate.mlir": lambda: b"func.func @f(%a: tensor<2x3x4xf32>) {\n  %0 = "
                         b"ssm.gate relu6 %a, %a : tensor<2x3x4xf32>\n  "
                         b"return\n}\n",
}


def npy(shape="(1, 4, 3)", descr="'<f4'", data=bytes(48), version=b"\1\0",
        extra=""):
    """A file of numpy; the header is what the arguments make of it."""
    header = (f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}"
              f"{extra}}}\n").encode()
    return (b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header
            + data)


def safetensors(header, data=bytes(48)):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(**other):
    """A header with one good tensor `u`, changed by `other`."""
    return {"u": {"dtype": "F32", "shape": [1, 4, 3], "data_offsets": [0, 48],
                  **other}}


def wav(format=1, channels=3, bits=16, data=bytes(24)):
    frame = channels * bits // 8
    chunk = struct.pack("<HHIIHH", format, channels, 48000, 48000 * frame, frame,
                        bits)
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
            + struct.pack("<I", 16) + chunk + b"data"
            + struct.pack("<I", len(data)) + data)


# What carries tensors.
TENSORS = {
    "u.npy": npy,
    "empty.npy": lambda: b"",
    "garbage.npy": lambda: garbage(256),
    "cut-head.npy": lambda: npy()[:30],
    "cut-data.npy": lambda: npy()[:-1],
    "future.npy": lambda: npy(version=b"\x09\0"),
    "pickle.npy": lambda: npy(descr="'|O'"),
    "structured.npy": lambda: npy(descr="[('a', '<f4')]"),
    "big-endian.npy": lambda: npy(descr="'>f4'"),
    "integers.npy": lambda: npy(descr="'<i4'"),
    "doubles.npy": lambda: npy(descr="'<f8'", data=bytes(96)),
    "negative.npy": lambda: npy(shape="(1, -4, 3)"),
    "huge.npy": lambda: npy(shape="(4611686018427387904, 4, 3)"),
    "rank9.npy": lambda: npy(shape="(1, 1, 1, 1, 1, 1, 1, 4, 3)"),
    "unknown-key.npy": lambda: npy(extra=", 'code': 'x'"),
    "flat.npy": lambda: npy(shape="(12,)"),
    "u.safetensors": lambda: safetensors(tensor()),
    "empty.safetensors": lambda: b"",
    "cut-head.safetensors": lambda: safetensors(tensor())[:20],
    "cut-data.safetensors": lambda: safetensors(tensor())[:-1],
    "long-head.safetensors": lambda: struct.pack("<Q", 1 << 62) + b"{}",
    "no-json.safetensors": lambda: safetensors(b"{'u': 1}"),
    "deep.safetensors": lambda: safetensors(b'{"u": ' + b"[" * 100000
                                            + b"]" * 100000 + b"}"),
    "list.safetensors": lambda: safetensors(b"[1, 2]"),
    "integers.safetensors": lambda: safetensors(tensor(dtype="I32")),
    "negative.safetensors": lambda: safetensors(tensor(shape=[1, -4, 3])),
    "huge.safetensors": lambda: safetensors(tensor(shape=[1 << 62, 4, 3])),
    "outside.safetensors": lambda: safetensors(tensor(data_offsets=[0, 96])),
    "backwards.safetensors": lambda: safetensors(tensor(data_offsets=[48, 0])),
    "short-range.safetensors": lambda: safetensors(tensor(data_offsets=[0, 44])),
    "u.wav": wav,
    "empty.wav": lambda: b"",
    "garbage.wav": lambda: garbage(256),
    "cut-head.wav": lambda: wav()[:30],
    "cut-data.wav": lambda: wav()[:-1],
    "no-data.wav": lambda: wav()[:36],
    "law.wav": lambda: wav(format=7, bits=8),
    "no-channels.wav": lambda: wav(channels=0),
    "odd.s16": lambda: bytes(5),
}


@functools.cache
def bytecode(tool, text, *options):
    """What `tool` writes as bytecode for the module `text`."""
    # Its own stack is too small for what it is to write.
    return subprocess.run(
        ["sh", "-c", 'ulimit -s unlimited 2> /dev/null; exec "$@"', "sh", tool,
         "--emit-bytecode", *options, "-"],
        input=text, capture_output=True, check=True).stdout


def nested_bytecode():
    return bytecode(MLIR_OPT, b"module {\n" * 2000 + b"}\n" * 2000,
                    "--mlir-disable-threading")


def ema_bytecode():
    return bytecode("mamba-opt", EMA)


BYTECODE = {
    "ema.mlirbc": ema_bytecode,
    "cut-head.mlirbc": lambda: ema_bytecode()[:6],
    "cut-middle.mlirbc": lambda: ema_bytecode()[:len(ema_bytecode()) // 2],
    "cut-end.mlirbc": lambda: ema_bytecode()[:-1],
    "future.mlirbc": lambda: b"ML\xefR\xff" + ema_bytecode()[5:],
    "regions.mlirbc": nested_bytecode,
}

FILES = MODULES | TENSORS | BYTECODE


@functools.cache
def bundle(tools):
    """The files of a bundle of EMA, by name."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "bundle"
        subprocess.run(
            [f"{tools}/mamba-export", TEST / "tools/Inputs/ema.mlir", "-o", folder,
             "--targets=sm_80,sm_90", "--forms=ptx"], check=True,
            stdout=subprocess.DEVNULL)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def changed(old, new):
    """The manifest with some text replaced, which is there."""
    def change(files):
        assert old in files["manifest.json"], old
        files["manifest.json"] = files["manifest.json"].replace(old, new)
    return change


# What is done to the files of a bundle.
BUNDLES = {
    "good.bundle": lambda files: None,
    "no-manifest.bundle": lambda files: files.pop("manifest.json"),
    "empty.bundle": lambda files: files.update({"manifest.json": b""}),
    "cut.bundle": lambda files: files.update(
        {"manifest.json": files["manifest.json"][:200]}),
    "deep.bundle": lambda files: files.update(
        {"manifest.json": b"[" * 100000 + b"]" * 100000}),
    "garbage.bundle": lambda files: files.update({"manifest.json": garbage(256)}),
    "future.bundle": changed(b'"version": 2', b'"version": 3'),
    "past.bundle": changed(b'"version": 2', b'"version": 1'),
    "other-format.bundle": changed(b"mamba-bundle", b"mamba-bandle"),
    "outside.bundle": changed(b'"file": "sm_80.json"', b'"file": "../sm_80.json"'),
    "renamed.bundle": changed(b'"name": "ema"', b'"name": "emb"'),
}


def make(command, folder, environment):
    """Makes what `command` names; else why that is not possible here."""
    for name in re.findall(r"[\w-]+\.\w+", command):
        path = folder / name
        if name.startswith("unreadable."):
            path.touch(0)
        elif name in FILES and not path.exists():
            try:
                path.write_bytes(FILES[name]())
            except FileNotFoundError as missing:
                return f"{missing.filename} is missing"
        elif name in BUNDLES and not path.exists():
            files = dict(bundle(environment["BIN"]))
            BUNDLES[name](files)
            path.mkdir()
            for file, content in files.items():
                (path / file).write_bytes(content)
    return None
