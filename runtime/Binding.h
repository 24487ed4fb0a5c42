//===- Binding.h - Tensors meet an artifact ------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From the tensors of one call to the numbers of its launches. It is on the
// path of every launch, so it allocates nothing unless it makes an error.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_BINDING_H
#define MAMBA_RUNTIME_BINDING_H

#include "runtime/Artifact.h"
#include "runtime/Overlap.h"
#include "runtime/Status.h"
#include "runtime/Tensor.h"
#include "runtime/Validate.h"

#include <span>

namespace mamba {

/// What the artifact of a function says about every call of it.
class Signature {
public:
  /// `artifact` is valid and outlives this.
  explicit Signature(const Artifact &artifact);

  const Artifact &artifact() const { return artifact_; }
  /// The extent that is compiled in, or kDynamic.
  int64_t staticExtent(Axis axis) const {
    return staticExtents_[static_cast<size_t>(axis)];
  }

private:
  const Artifact &artifact_;
  int64_t staticExtents_[kNumAxes];
};

/// One call: the extents that its tensors have, and where its temporaries lie.
class Binding {
public:
  /// Checks `tensors` (inputs, then results) against the artifact. After
  /// success the other functions may be called. Keeps a reference to both.
  Status bind(const Signature &signature, std::span<const TensorView> tensors);

  int64_t extent(Axis axis) const {
    return extents_[static_cast<size_t>(axis)];
  }
  /// Bytes of all temporaries together; 0 if there are none.
  int64_t workspaceBytes() const { return workspaceBytes_; }
  /// Of these, the first so many have to be zero before the first launch.
  int64_t zeroedBytes() const { return zeroedBytes_; }
  /// Blocks (tasks) of a launch, or an error if they are more than `limit`.
  /// 0: nothing to launch.
  Result<int64_t> numBlocks(const LaunchSpec &launch, int64_t limit) const;
  /// InvalidArgument if some result has elements: asked where no launch has
  /// blocks, so that nothing would write them.
  Status checkNothingToWrite() const;
  /// Values of the launch's arguments, into `values` of the same size.
  void fillArgs(const LaunchSpec &launch, void *workspace,
                std::span<int64_t> values) const;

private:
  Status bindTensor(size_t index);
  Status checkExtents(size_t index) const;
  Status checkIterationSpace() const;
  Status checkMemory(size_t index);
  Status checkOverlap() const;
  Status placeTemporaries();
  Status placeTemporaries(bool zeroed);

  int64_t expectedExtent(const DimSpec &dim) const;
  int64_t temporaryStride(const TensorSpec &tensor, size_t dim) const;

  const Signature *signature_ = nullptr;
  std::span<const TensorView> tensors_;
  int64_t extents_[kNumAxes];
  /// The memory of each input and result.
  ByteRange ranges_[kMaxTensors];
  int64_t workspaceBytes_ = 0;
  int64_t zeroedBytes_ = 0;
  /// Of each temporary, from the start of the workspace.
  int64_t offsets_[kMaxTensors];
};

} // namespace mamba

#endif // MAMBA_RUNTIME_BINDING_H
