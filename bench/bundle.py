"""Exported kernels on PyTorch's tensors: libmamba_loader.so by ctypes.

As runtime/loader/mamba_loader.h has it. Tensors stay PyTorch's: a launch takes
their addresses, shapes and strides, and runs on PyTorch's current stream.
"""

import ctypes
import json
import pathlib
import subprocess

ABI = 1
MOST_DIMENSIONS = 8
# PyTorch's names by the manifest's, in the order of mamba_dtype.
NAMES = {"f64": "float64", "f32": "float32", "f16": "float16",
         "bf16": "bfloat16", "c64": "complex64", "c128": "complex128"}
DTYPES = list(NAMES.values())


class Tensor(ctypes.Structure):
    """mamba_tensor."""
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int32),
                ("rank", ctypes.c_int32),
                ("shape", ctypes.c_int64 * MOST_DIMENSIONS),
                ("strides", ctypes.c_int64 * MOST_DIMENSIONS)]

    @classmethod
    def of(cls, tensor):
        pad = [0] * (MOST_DIMENSIONS - tensor.dim())
        dtype = DTYPES.index(str(tensor.dtype).removeprefix("torch."))
        return cls(tensor.data_ptr(), dtype, tensor.dim(),
                   (ctypes.c_int64 * MOST_DIMENSIONS)(*tensor.shape, *pad),
                   (ctypes.c_int64 * MOST_DIMENSIONS)(*tensor.stride(), *pad))


class Loader:
    """The library, and the device that its bundles run on."""

    def __init__(self, library, device):
        # A bare name would be looked for in the system's folders alone.
        self.library = ctypes.CDLL(str(pathlib.Path(library).resolve()))
        self.library.mamba_error.restype = ctypes.c_char_p
        self.check(self.library.mamba_check_abi(ctypes.c_int32(ABI)))
        self.device = ctypes.c_void_p()
        self.check(self.library.mamba_device_open(
            device.encode(), ctypes.byref(self.device)))

    def check(self, status):
        if status:
            raise RuntimeError(self.library.mamba_error().decode())


class Bundle:
    """What mamba-export wrote into a folder."""

    def __init__(self, loader, folder):
        self.loader = loader
        self.handle = ctypes.c_void_p()
        loader.check(loader.library.mamba_bundle_open(
            str(folder).encode(), None, ctypes.byref(self.handle)))
        folder = pathlib.Path(folder)
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.target = json.loads(
            (folder / self.manifest["targets"][0]["file"]).read_text())

    def close(self):
        self.loader.library.mamba_bundle_close(self.handle)

    def schedule(self, function):
        """The schedule of the variant that was made for given extents."""
        return self.target["functions"][function]["variants"][0]["schedule"]

    def launcher(self, function, tensors, stream):
        """A function that queues one launch on tensors of PyTorch, inputs and
        then results, which must live as long as it does."""
        library, check = self.loader.library, self.loader.check
        arguments = (self.handle, self.loader.device, ctypes.c_int32(function),
                     (Tensor * len(tensors))(*map(Tensor.of, tensors)),
                     ctypes.c_size_t(len(tensors)), ctypes.c_void_p(stream))
        check(library.mamba_prepare(*arguments))
        return lambda: check(library.mamba_launch(*arguments))


def export(program, layer, folder, *flags):
    """Runs mamba-export for one GPU target; raises with what it said."""
    done = subprocess.run(
        [program, str(layer), "-o", str(folder), "--forms=cubin", *flags],
        capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
