"""lit: runs the RUN lines of test/**/*.mlir and *.test."""

import ctypes
import os
import shutil

import lit.formats

config.name = "mamba-mlir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "unit", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_dir, "test")


def find_folder(tool):
    """The folder of a tool of the CUDA toolkit, or None."""
    path = shutil.which(tool, path=os.pathsep.join(
        [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]))
    return os.path.dirname(path) if path else None


def has_cuda_device():
    """Whether the driver loads and sees a GPU; no toolkit is needed."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return (driver.cuInit(0) == 0
            and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
            and count.value > 0)


path = [config.tools_dir, config.llvm_tools_dir]
for tool in ["ptxas", "nvcc"]:
    folder = find_folder(tool)
    if folder:
        config.available_features.add(tool)
        path.append(folder)
        config.substitutions.append((f"%{tool}", os.path.join(folder, tool)))
if has_cuda_device():
    config.available_features.add("cuda")
path.append(config.environment["PATH"])
config.environment["PATH"] = os.pathsep.join(path)

# Tests must not read or fill the user's kernel cache.
config.environment["XDG_CACHE_HOME"] = os.path.join(
    config.test_exec_root, "cache")
config.substitutions.append(("%examples", os.path.join(
    config.test_source_root, "..", "examples")))
