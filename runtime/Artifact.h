//===- Artifact.h - A compiled kernel, free of MLIR types -------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the compiler hands to the runtime: code, and everything a launch needs
// to know about it. The runtime's core sees only this file, so a program can
// load exported kernels without LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_ARTIFACT_H
#define MAMBA_RUNTIME_ARTIFACT_H

#include <cstdint>
#include <string>
#include <vector>

namespace mamba {

/// Element types a kernel reads or writes. Complex numbers are (re, im) pairs.
enum class DType : uint8_t { F64, F32, F16, BF16, C64, C128 };

/// Bytes of one element of `type`.
constexpr int64_t byteSize(DType type) {
  switch (type) {
  case DType::F16:
  case DType::BF16:
    return 2;
  case DType::F32:
    return 4;
  case DType::F64:
  case DType::C64:
    return 8;
  case DType::C128:
    return 16;
  }
  return 0;
}

/// The dimension of the iteration space that a tensor dimension runs over.
enum class Axis : uint8_t {
  Batch,   ///< b: independent sequences.
  Length,  ///< l: the ordered axis of the recurrence.
  Channel, ///< d: independent channels of a sequence.
  State,   ///< n: states of a channel; static.
  Group,   ///< g: channel d belongs to group d / (D / G); G divides D; static.
  Other    ///< A static extent that is no part of the iteration space.
};

/// An extent that is known only at launch.
inline constexpr int64_t kDynamic = INT64_MIN;

struct DimSpec {
  Axis axis = Axis::Other;
  int64_t extent = kDynamic;
  /// A dynamic extent is ceil(extent of `axis` / divisor): a tensor with one
  /// entry a chunk of the axis has the chunk's length here.
  int64_t divisor = 1;

  /// Its extent is that of the axis.
  bool tellsAxis() const { return axis != Axis::Other && divisor == 1; }
  /// Its extent where that of the axis is `ofAxis`.
  int64_t extentAt(int64_t ofAxis) const {
    return extent != kDynamic ? extent
                              : ofAxis / divisor + (ofAxis % divisor != 0);
  }
};

/// One tensor of a function: an input, a result or a temporary.
struct TensorSpec {
  std::string name;
  DType dtype = DType::F32;
  std::vector<DimSpec> dims;
  /// A temporary whose bytes are zero before the first launch.
  bool isZeroed = false;
};

/// What a compiled variant assumes of a tensor's memory. Anything not assumed
/// here (the other strides, the base address) is a launch argument.
struct LayoutSpec {
  /// The dimension whose stride is one element, or -1 for none. Of several
  /// dimensions with stride 1 (extents of 1 have any stride) the runtime picks
  /// the Length dimension first, then Channel, then State.
  int8_t unitDim = -1;
  /// Bytes, a power of two up to 16, that divide the base address and every
  /// stride other than the unit one. At least the element size.
  uint8_t alignment = 1;
  /// A dimension whose stride is a constant of the code, `fixedStride` elements
  /// of 1 or more; -1 and 0 for none. Never the unit one.
  int8_t fixedDim = -1;
  int64_t fixedStride = 0;

  bool operator==(const LayoutSpec &) const = default;
  /// The same with all strides but the unit one as launch arguments.
  LayoutSpec withoutFixedStride() const { return {unitDim, alignment}; }
};

/// One factor of a launch's number of blocks (CUDA) or tasks (CPU):
/// ceil(extent of `axis` / divisor), or `divisor` itself for Axis::Other.
struct GridTerm {
  Axis axis = Axis::Other;
  int64_t divisor = 1;
  /// True where it begins another product: those are added.
  bool isAdded = false;
};

/// One 8-byte argument of a kernel.
struct KernelArg {
  enum class Kind : uint8_t {
    Pointer, ///< Base address of tensor `index`.
    Stride,  ///< Stride in elements of dimension `dim` of tensor `index`.
    Extent   ///< Extent of the axis `dim` (an Axis) of the iteration space.
  };
  Kind kind = Kind::Pointer;
  uint16_t index = 0;
  uint16_t dim = 0;
};

/// One kernel launch of a function; a function is a sequence of them in order.
struct LaunchSpec {
  std::string entry;
  /// Threads of a block; 1 on the CPU.
  uint32_t blockSize = 1;
  /// Dynamic shared memory of a block in bytes.
  uint32_t sharedBytes = 0;
  /// Number of blocks or tasks: the product of the factors, or a sum of such
  /// products; zero launches nothing.
  std::vector<GridTerm> grid;
  std::vector<KernelArg> args;
};

enum class ImageKind : uint8_t {
  Ptx,    ///< PTX text; the driver compiles it.
  Cubin,  ///< Machine code of one GPU architecture.
  Object, ///< An ELF object for the host. Each entry has the C signature
          ///< void(const int64_t *args, int64_t firstTask, int64_t endTask);
          ///< for the simt device it is a simt::KernelImage.
  Cuda    ///< CUDA C++; NVRTC compiles it.
};

/// A compiled variant of one function.
struct Artifact {
  std::string name;   ///< The function's name.
  std::string target; ///< As DeviceInfo::target of the device it runs on.
  ImageKind kind = ImageKind::Object;
  std::string image;
  /// Inputs, then results, then temporaries. Temporaries are row-major in
  /// dimension order and belong to the launch; extents of theirs that are
  /// kDynamic are those of the axis.
  std::vector<TensorSpec> tensors;
  uint32_t numInputs = 0;
  uint32_t numResults = 0;
  /// One per input and result: what the code assumes.
  std::vector<LayoutSpec> layouts;
  /// The channel extent is a multiple of this; 1 assumes nothing.
  int64_t channelMultiple = 1;
  /// The length is a multiple of this; 1 assumes nothing.
  int64_t lengthMultiple = 1;
  std::vector<LaunchSpec> launches;
  /// The schedule attribute as text, for reports.
  std::string schedule;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_ARTIFACT_H
