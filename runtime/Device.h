//===- Device.h - Where kernels run --------------------------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One interface for the CPU, for NVIDIA GPUs and for simulated ones. Nothing
// happens when the library is loaded; the CUDA driver is looked for when a CUDA
// device is first opened.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_RUNTIME_DEVICE_H
#define MAMBA_RUNTIME_DEVICE_H

#include "runtime/Artifact.h"
#include "runtime/Status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mamba {

/// Facts about a device. Zero or empty where they don't apply (CPU).
struct DeviceInfo {
  /// "cpu", "cuda:0", "simt".
  std::string name;
  /// Artifact::target of what runs here: "sm_90", or the host CPU's name and
  /// features as the registered ObjectLoader gives them, on the simt device
  /// behind "simt-sm_90 ".
  std::string target;
  /// VariantRequest::target for it: "cpu", "sm_90", "simt-sm_90".
  std::string architecture;
  /// The product, such as "NVIDIA H100 80GB HBM3".
  std::string model;
  /// Streaming multiprocessors, or threads of the CPU device.
  int multiprocessors = 0;
  int warpSize = 0;
  int maxThreadsPerBlock = 0;
  /// Blocks (tasks) of a launch.
  int64_t maxBlocks = INT64_MAX / 4;
  int maxThreadsPerMultiprocessor = 0;
  int registersPerMultiprocessor = 0;
  /// Bytes of shared memory a block may have, opt-in included.
  int64_t sharedBytesPerBlock = 0;
  int64_t sharedBytesPerMultiprocessor = 0;
  int64_t memoryBytes = 0;
  int64_t l2Bytes = 0;
  /// CUDA version of the driver: 1000 * major + 10 * minor.
  int driverVersion = 0;
  /// Newest PTX the driver compiles: 10 * major + minor; 0 if unknown.
  int maxPtxVersion = 0;
};

/// What the driver says about one entry after loading it.
struct EntryInfo {
  int registers = 0;
  int64_t localBytes = 0;
  int64_t staticSharedBytes = 0;
  int maxThreadsPerBlock = 0;
  /// Blocks a multiprocessor holds at the launch's block size.
  int blocksPerMultiprocessor = 0;
};

/// What a caller says of a piece of memory, for devices that check accesses.
enum class MemoryContent : uint8_t {
  Unwritten, ///< Nothing that a kernel may read: newly allocated, or poison.
  Written,   ///< Values.
  Guard      ///< Memory that no kernel may touch.
};

/// An artifact's code, ready to run on one device. Thread-safe.
class LoadedKernel {
public:
  virtual ~LoadedKernel();

  /// Starts launch `index` of the artifact with `numBlocks` > 0 blocks (tasks)
  /// and the values of its args. On CUDA it is queued on `stream` (a CUstream)
  /// and `args` may be reused at once; on the CPU it is done on return. Does
  /// not allocate.
  virtual Status launch(size_t index, int64_t numBlocks,
                        std::span<const int64_t> args, void *stream) = 0;

  /// Facts about launch `index`, for reports.
  virtual EntryInfo entryInfo(size_t index) const = 0;
};

/// Launches that were recorded once, to be queued as one piece again and again.
/// The tensors that they work on, their kernels and the device outlive it.
class LaunchGraph {
public:
  virtual ~LaunchGraph();
  virtual Status launch(void *stream) = 0;
};

/// A place with memory that kernels run on. Thread-safe. All pointers are of
/// the device's memory unless said otherwise; `stream` is a CUstream (null: the
/// default one) and is ignored on the CPU and on simt.
class Device {
public:
  virtual ~Device();

  /// The device called "cpu", "simt", "cuda" (the same as "cuda:0") or
  /// "cuda:<N>". The same object as long as someone holds it. NotFound with
  /// every path tried if there is no CUDA driver.
  static Result<std::shared_ptr<Device>> open(std::string_view name);

  /// The name for open() of the device whose memory `pointer` points to. "cpu"
  /// for managed memory, for anything that no device of this process and no
  /// CUDA driver knows, and while no other device is open.
  static std::string nameOf(const void *pointer);

  /// True if "cuda:0" can be opened.
  static bool hasCuda();

  virtual const DeviceInfo &info() const = 0;
  const std::string &name() const { return info().name; }
  const std::string &target() const { return info().target; }
  int multiprocessors() const { return info().multiprocessors; }
  virtual bool isCuda() const = 0;

  /// Makes the artifact's code ready. Checks that the device can run it: its
  /// target, block size, shared memory. `artifact` is not kept.
  virtual Result<std::shared_ptr<LoadedKernel>>
  load(const Artifact &artifact) = 0;

  /// Bytes of the device's memory that are in use; on a GPU by all processes,
  /// and in the driver's units. 0 on the CPU, whose memory is the process's.
  virtual Result<int64_t> bytesInUse() { return 0; }

  /// `bytes` > 0 of memory, aligned to 256 bytes or more.
  virtual Result<void *> allocate(int64_t bytes) = 0;
  /// Frees what allocate() gave (null: nothing); waits for running kernels.
  virtual void free(void *pointer) = 0;

  /// Copies between host and device, in order with `stream`, done on return.
  virtual Status copyIn(void *target, const void *hostSource, int64_t bytes,
                        void *stream = nullptr) = 0;
  virtual Status copyOut(void *hostTarget, const void *source, int64_t bytes,
                         void *stream = nullptr) = 0;
  /// Sets bytes, in order with `stream`; may return before it is done.
  virtual Status memset(void *target, uint8_t value, int64_t bytes,
                        void *stream = nullptr) = 0;
  /// True if kernels that misuse memory are reported: see mark().
  virtual bool checksAccesses() const { return false; }
  /// Says what memory of allocate() holds, whatever was written before;
  /// copyIn() and memset() say Written. Only devices that check accesses
  /// listen.
  virtual void mark(void *, int64_t /*bytes*/, MemoryContent) {}

  /// A new stream that does not wait for the default one; null on the CPU.
  virtual Result<void *> createStream() = 0;
  /// Waits for the stream, then destroys it.
  virtual void destroyStream(void *stream) = 0;
  /// Waits for everything queued on `stream`, or on the whole device. Reports
  /// errors of kernels that ran.
  virtual Status synchronize(void *stream) = 0;
  virtual Status synchronize() = 0;

  /// Milliseconds that the work queued by `body` takes on `stream`; events on
  /// CUDA, the wall clock on the CPU. Waits for it.
  virtual Result<double> timeMillis(void *stream,
                                    const std::function<Status()> &body) = 0;

  /// Records what `body` queues on `stream` (of createStream()) without doing
  /// it: a CUDA graph. Everything in it was prepared before. Unsupported where
  /// launches are done on return.
  virtual Result<std::unique_ptr<LaunchGraph>>
  record(void *stream, const std::function<Status()> &body);
  /// True if `stream` is being captured into a graph.
  virtual Result<bool> isCapturing(void *stream) = 0;

  /// InvalidArgument, saying what it is instead, unless `pointer` is memory
  /// that kernels of this device can use. The CPU takes any non-null pointer,
  /// simt only memory of its allocate().
  virtual Status checkPointer(const void *pointer) = 0;
};

} // namespace mamba

#endif // MAMBA_RUNTIME_DEVICE_H
