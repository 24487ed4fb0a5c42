//===- ReferenceTensor.cpp - Tensors of the reference device --------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/reference/ReferenceTensor.h"

#include "runtime/DType.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::ssm;

ReferenceTensor ReferenceTensor::zeros(ArrayRef<int64_t> shape,
                                       bool isComplex) {
  size_t numElements = 1;
  for (int64_t extent : shape)
    numElements *= static_cast<size_t>(extent);
  ReferenceTensor tensor;
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.isComplex = isComplex;
  tensor.re.resize(numElements);
  tensor.im.resize(isComplex ? numElements : 0);
  return tensor;
}

namespace {
/// The indices of one dimension that a part of a tensor has.
using Indices = SmallVector<int64_t>;
} // namespace

/// Copies the elements of `view` at the product of `indices`.
static ReferenceTensor gather(const mamba::TensorView &view,
                              ArrayRef<Indices> indices) {
  SmallVector<int64_t> shape;
  for (const Indices &dimension : indices)
    shape.push_back(static_cast<int64_t>(dimension.size()));
  ReferenceTensor tensor =
      ReferenceTensor::zeros(shape, mamba::isComplex(view.dtype));
  const char *base = static_cast<const char *>(view.data);
  int64_t elementSize = mamba::byteSize(view.dtype);
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0, e = tensor.numElements(); i < e; ++i) {
    int64_t offset = 0;
    for (size_t dim = 0; dim < index.size(); ++dim)
      offset += indices[dim][index[dim]] * view.strides[dim];
    tensor.set(i, mamba::readElement(base + offset * elementSize, view.dtype));
    for (size_t dim = index.size(); dim-- > 0;) {
      if (++index[dim] < shape[dim])
        break;
      index[dim] = 0;
    }
  }
  return tensor;
}

static Indices range(int64_t begin, int64_t end) {
  return llvm::to_vector(llvm::seq(begin, end));
}

ReferenceTensor ReferenceTensor::fromView(const mamba::TensorView &view) {
  SmallVector<Indices> indices;
  for (int dim = 0; dim < view.rank; ++dim)
    indices.push_back(range(0, view.shape[dim]));
  return gather(view, indices);
}

/// The groups that the slice's channels belong to.
static std::optional<Indices>
narrowGroups(int64_t groups, const ReferenceSlice &slice, std::string &error) {
  if (groups < 1 || slice.numChannels % groups != 0) {
    error = llvm::formatv("has {0} groups, which do not divide the {1} "
                          "channels",
                          groups, slice.numChannels);
    return std::nullopt;
  }
  int64_t perGroup = slice.numChannels / groups;
  if (slice.channelBegin == slice.channelEnd)
    return range(0, groups);
  int64_t first = slice.channelBegin / perGroup;
  int64_t last = (slice.channelEnd - 1) / perGroup;
  bool isWhole =
      slice.channelBegin % perGroup == 0 && slice.channelEnd % perGroup == 0;
  if (isWhole || first == last)
    return range(first, last + 1);
  error = llvm::formatv("has groups of {0} channels, of which the slice [{1}, "
                        "{2}) cuts one; expected whole groups, or channels of "
                        "one group",
                        perGroup, slice.channelBegin, slice.channelEnd);
  return std::nullopt;
}

static std::optional<Indices> narrowDim(mamba::Axis axis, int64_t extent,
                                        const ReferenceSlice &slice,
                                        std::string &error) {
  if (axis == mamba::Axis::Group)
    return narrowGroups(extent, slice, error);
  if (axis == mamba::Axis::Batch) {
    for (int64_t batch : slice.batches)
      if (batch < 0 || batch >= extent) {
        error = llvm::formatv("has {0} sequences, so none with number {1}",
                              extent, batch);
        return std::nullopt;
      }
    return slice.batches;
  }
  if (axis != mamba::Axis::Channel)
    return range(0, extent);
  if (extent != slice.numChannels || slice.channelBegin < 0 ||
      slice.channelEnd < slice.channelBegin || slice.channelEnd > extent) {
    error = llvm::formatv("has {0} channels, but the slice is [{1}, {2}) of "
                          "{3} channels",
                          extent, slice.channelBegin, slice.channelEnd,
                          slice.numChannels);
    return std::nullopt;
  }
  return range(slice.channelBegin, slice.channelEnd);
}

std::optional<ReferenceTensor> mlir::ssm::narrow(const mamba::TensorView &view,
                                                 const mamba::TensorSpec &spec,
                                                 const ReferenceSlice &slice,
                                                 std::string &error) {
  if (static_cast<size_t>(view.rank) != spec.dims.size()) {
    error = llvm::formatv("has rank {0}, expected {1}", view.rank,
                          spec.dims.size());
    return std::nullopt;
  }
  SmallVector<Indices> indices;
  for (int dim = 0; dim < view.rank; ++dim) {
    std::optional<Indices> kept =
        narrowDim(spec.dims[dim].axis, view.shape[dim], slice, error);
    if (!kept)
      return std::nullopt;
    indices.push_back(std::move(*kept));
  }
  return gather(view, indices);
}
