//===- HostLauncher.cpp - Kernels launched from CUDA programs -------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arguments of the kernels are 8 bytes each: pointers and long longs, which are
// the struct's fields. What belongs to a temporary follows from its shape.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/HostLauncher.h"

#include "codegen/cuda/KernelWriter.h"
#include "runtime/Validate.h"

#include <fmt/format.h>
#include <map>
#include <tuple>

using namespace mlir;
using namespace mlir::ssm::cuda;

using mamba::KernelArg;

namespace {

class LauncherWriter {
public:
  LauncherWriter(const mamba::Artifact &artifact, Names &names)
      : artifact(artifact), names(names) {}

  std::string run();

private:
  bool isTemporary(size_t tensor) const {
    return tensor >= artifact.layouts.size();
  }
  /// The field of an argument; makes it on its first use.
  std::string field(const KernelArg &arg);
  std::string extent(mamba::Axis axis);
  std::string extent(const mamba::DimSpec &dim);
  /// Of the elements behind each entry of dimension `dim` of a temporary.
  std::string rowMajorStride(const mamba::TensorSpec &tensor, size_t dim);
  std::string grid(const mamba::LaunchSpec &launch);
  std::string bytes(const mamba::TensorSpec &tensor);
  std::string zeroing();
  std::string temporaryStride(const KernelArg &arg);
  std::string launchText(const mamba::LaunchSpec &launch);
  std::string fieldsText();

  const mamba::Artifact &artifact;
  Names &names;
  Names fieldNames;
  /// Declarations by kind, tensor and dimension: pointers come first.
  std::map<std::tuple<KernelArg::Kind, unsigned, unsigned>, std::string> fields;
  /// Names of the temporaries' strides by tensor and dimension, and their
  /// definitions.
  std::map<std::pair<unsigned, unsigned>, std::string> strides;
  std::string strideText;
};

} // namespace

std::string LauncherWriter::field(const KernelArg &arg) {
  std::string &name = fields[{arg.kind, arg.index, arg.dim}];
  if (name.empty())
    name = fieldNames.take(argumentName(artifact, arg));
  return "args." + name;
}

std::string LauncherWriter::extent(mamba::Axis axis) {
  return field({KernelArg::Kind::Extent, 0, static_cast<uint16_t>(axis)});
}

std::string LauncherWriter::extent(const mamba::DimSpec &dim) {
  if (dim.extent != mamba::kDynamic)
    return std::to_string(dim.extent) + "ll";
  std::string whole = extent(dim.axis);
  return dim.divisor == 1 ? whole
                          : fmt::format("(({} + {}) / {})", whole,
                                        dim.divisor - 1, dim.divisor);
}

std::string LauncherWriter::rowMajorStride(const mamba::TensorSpec &tensor,
                                           size_t dim) {
  std::string product;
  for (size_t i = dim + 1; i < tensor.dims.size(); ++i)
    product += (product.empty() ? "" : " * ") + extent(tensor.dims[i]);
  return product.empty() ? "1ll" : product;
}

std::string LauncherWriter::grid(const mamba::LaunchSpec &launch) {
  std::string blocks;
  for (const mamba::GridTerm &term : launch.grid) {
    mamba::DimSpec dim{term.axis, mamba::kDynamic, term.divisor};
    if (!blocks.empty())
      blocks += term.isAdded ? " + " : " * ";
    blocks += term.axis == mamba::Axis::Other
                  ? std::to_string(term.divisor) + "ll"
                  : extent(dim);
  }
  return blocks.empty() ? "1ll" : blocks;
}

/// The stride of a temporary: a variable of the function.
std::string LauncherWriter::temporaryStride(const KernelArg &arg) {
  std::string &name = strides[{arg.index, arg.dim}];
  if (name.empty()) {
    name = fieldNames.take(argumentName(artifact, arg));
    strideText +=
        fmt::format("  long long {} = {};\n", name,
                    rowMajorStride(artifact.tensors[arg.index], arg.dim));
  }
  return name;
}

std::string LauncherWriter::launchText(const mamba::LaunchSpec &launch) {
  std::string list;
  for (const KernelArg &arg : launch.args) {
    bool isOwn = arg.kind == KernelArg::Kind::Stride && isTemporary(arg.index);
    list += (list.empty() ? "&" : ", &") +
            (isOwn ? temporaryStride(arg) : field(arg));
  }
  std::string call = fmt::format(
      "status = ssm_launch((const void *){}, {}, {}, {}, list, "
      "stream);",
      launch.entry, grid(launch), launch.blockSize, launch.sharedBytes);
  return "  if (status == cudaSuccess) {\n" +
         wrapLine("void *list[] = {" + list + "};", "    ") +
         wrapLine(call, "    ") + "  }\n";
}

/// Some temporaries are counters or sums, which begin at zero.
std::string LauncherWriter::zeroing() {
  std::string text;
  for (size_t i = artifact.layouts.size(); i < artifact.tensors.size(); ++i) {
    const mamba::TensorSpec &tensor = artifact.tensors[i];
    if (!tensor.isZeroed)
      continue;
    text += fmt::format(
        "  if (status == cudaSuccess)\n"
        "    status = cudaMemsetAsync({}, 0, {}, stream);\n",
        field({KernelArg::Kind::Pointer, static_cast<uint16_t>(i), 0}),
        bytes(tensor));
  }
  return text;
}

/// "4 * batch * ((length + 31) / 32)": the bytes of a temporary.
std::string LauncherWriter::bytes(const mamba::TensorSpec &tensor) {
  std::string product = std::to_string(mamba::byteSize(tensor.dtype)) + "ll";
  for (const mamba::DimSpec &dim : tensor.dims)
    product += " * " + extent(dim);
  return product;
}

/// Extents come last, so that those which only sizes need are there in time.
std::string LauncherWriter::fieldsText() {
  std::string text;
  for (const auto &[key, name] : fields) {
    auto [kind, index, dim] = key;
    if (kind != KernelArg::Kind::Pointer) {
      text += fmt::format("  long long {};\n", name);
      continue;
    }
    bool isInput = index < artifact.numInputs;
    if (isTemporary(index))
      text += wrapLine(fmt::format("Memory for temporaries, of {} bytes:",
                                   bytes(artifact.tensors[index])),
                       "  // ");
    text += fmt::format("  {}void *{};\n", isInput ? "const " : "", name);
  }
  return text;
}

std::string LauncherWriter::run() {
  std::string function = names.take(artifact.name),
              arguments = names.take(artifact.name + "_args"), body = zeroing();
  for (const mamba::LaunchSpec &launch : artifact.launches)
    body += launchText(launch);
  return fmt::format(R"(
#ifndef __CUDACC_RTC__
// From here on for the host.

struct {1} {{
{2}}};

inline cudaError_t ssm_launch(const void *kernel, long long blocks, unsigned threads,
                              size_t shared, void **list, cudaStream_t stream) {{
  if (blocks == 0)
    return cudaSuccess;
  if (blocks > 0x7fffffff)
    return cudaErrorInvalidConfiguration;
  cudaError_t status = cudaSuccess;
  if (shared > 48 * 1024)
    status = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared);
  if (status != cudaSuccess)
    return status;
  return cudaLaunchKernel(kernel, dim3((unsigned)blocks), dim3(threads), list, shared, stream);
}}

// Queues the function on `stream`. Tensors are as the head of this file says: nothing is checked.
inline cudaError_t {0}({1} args, cudaStream_t stream) {{
{3}  cudaError_t status = cudaSuccess;
{4}  return status;
}}
#endif
)",
                     function, arguments, fieldsText(), strideText, body);
}

std::string mlir::ssm::cuda::hostLauncher(const mamba::Artifact &artifact,
                                          Names &names) {
  return LauncherWriter(artifact, names).run();
}
