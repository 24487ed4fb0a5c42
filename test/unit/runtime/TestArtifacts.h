//===- TestArtifacts.h - Hand-written kernels for tests ------- -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Artifacts whose code is a C++ function of the test, so that launches can be
// tested without a compiler.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_UNIT_RUNTIME_TESTARTIFACTS_H
#define MAMBA_TEST_UNIT_RUNTIME_TESTARTIFACTS_H

#include "runtime/Artifact.h"
#include "runtime/ObjectLoader.h"

#include <atomic>
#include <map>
#include <utility>

namespace mamba::test {

inline constexpr const char *kTarget = "test-cpu";

/// Its "objects" are the functions in `entries`.
class FakeLoader : public ObjectLoader {
public:
  Result<std::shared_ptr<LoadedObject>> load(std::string_view image) override {
    ++loads;
    if (image != "object")
      return Status(StatusCode::CorruptData, "not the test's object");
    return std::shared_ptr<LoadedObject>(std::make_shared<Object>(entries));
  }
  std::string target() const override { return kTarget; }

  std::map<std::string, CpuEntry> entries;
  std::atomic<int> loads{0};

private:
  struct Object : LoadedObject {
    explicit Object(std::map<std::string, CpuEntry> entries)
        : entries(std::move(entries)) {}
    Result<CpuEntry> lookup(const std::string &entry) override {
      auto found = entries.find(entry);
      if (found == entries.end())
        return Status(StatusCode::NotFound, "no entry '" + entry + "'");
      return found->second;
    }
    std::map<std::string, CpuEntry> entries;
  };
};

/// y(b, l, d) = x(b, l, d) * w(d), one task a (b, l): a launch with pointers,
/// strides and an extent.
inline Artifact scaleArtifact() {
  Artifact artifact;
  artifact.name = "scale";
  artifact.target = kTarget;
  artifact.kind = ImageKind::Object;
  artifact.image = "object";
  DimSpec b{Axis::Batch}, l{Axis::Length}, d{Axis::Channel};
  artifact.tensors = {{"x", DType::F32, {b, l, d}},
                      {"w", DType::F32, {d}},
                      {"y", DType::F32, {b, l, d}}};
  artifact.numInputs = 2;
  artifact.numResults = 1;
  artifact.layouts = {{-1, 4}, {-1, 4}, {-1, 4}};
  using Kind = KernelArg::Kind;
  LaunchSpec launch;
  launch.entry = "scale";
  launch.grid = {{Axis::Batch, 1}, {Axis::Length, 1}};
  for (uint16_t tensor : {0, 1, 2})
    launch.args.push_back({Kind::Pointer, tensor, 0});
  for (uint16_t dim : {0, 1, 2})
    launch.args.push_back({Kind::Stride, 0, dim});
  launch.args.push_back({Kind::Stride, 1, 0});
  for (uint16_t dim : {0, 1, 2})
    launch.args.push_back({Kind::Stride, 2, dim});
  launch.args.push_back({Kind::Extent, 0, uint16_t(Axis::Length)});
  launch.args.push_back({Kind::Extent, 0, uint16_t(Axis::Channel)});
  artifact.launches = {launch};
  artifact.schedule = "serial";
  return artifact;
}

/// The code of scaleArtifact().
inline void scaleEntry(const int64_t *args, int64_t first, int64_t end) {
  auto *x = reinterpret_cast<const float *>(args[0]);
  auto *w = reinterpret_cast<const float *>(args[1]);
  auto *y = reinterpret_cast<float *>(args[2]);
  int64_t length = args[10], channels = args[11];
  for (int64_t task = first; task < end; ++task) {
    int64_t b = task / length, l = task % length;
    for (int64_t d = 0; d < channels; ++d)
      y[b * args[7] + l * args[8] + d * args[9]] =
          x[b * args[3] + l * args[4] + d * args[5]] * w[d * args[6]];
  }
}

/// sums(b) = sum over l of x(b, l), through a temporary of sums of chunks of 4:
/// partial(b, ceil(l / 4)). Two launches that share the temporary.
inline Artifact chunkedSumArtifact() {
  Artifact artifact;
  artifact.name = "chunked_sum";
  artifact.target = kTarget;
  artifact.kind = ImageKind::Object;
  artifact.image = "object";
  DimSpec b{Axis::Batch}, l{Axis::Length};
  DimSpec chunks{Axis::Length, kDynamic, 4};
  artifact.tensors = {{"x", DType::F32, {b, l}},
                      {"sums", DType::F32, {b}},
                      {"partial", DType::F32, {b, chunks}}};
  artifact.numInputs = 1;
  artifact.numResults = 1;
  artifact.layouts = {{1, 4}, {-1, 4}};
  using Kind = KernelArg::Kind;
  KernelArg x{Kind::Pointer, 0, 0}, xStride{Kind::Stride, 0, 0};
  KernelArg sums{Kind::Pointer, 1, 0}, sumsStride{Kind::Stride, 1, 0};
  KernelArg partial{Kind::Pointer, 2, 0}, partialStride{Kind::Stride, 2, 0};
  KernelArg length{Kind::Extent, 0, uint16_t(Axis::Length)};
  artifact.launches = {
      {"sum_chunks",
       1,
       0,
       {{Axis::Batch, 1}, {Axis::Length, 4}},
       {x, xStride, partial, partialStride, length}},
      // Without a term for the length: sums are written for empty ones too.
      {"sum_partials",
       1,
       0,
       {{Axis::Batch, 1}},
       {partial, partialStride, sums, sumsStride, length}}};
  return artifact;
}

inline void sumChunksEntry(const int64_t *args, int64_t first, int64_t end) {
  auto *x = reinterpret_cast<const float *>(args[0]);
  auto *partial = reinterpret_cast<float *>(args[2]);
  int64_t chunks = args[3], length = args[4];
  for (int64_t task = first; task < end; ++task) {
    int64_t b = task / chunks, chunk = task % chunks;
    float sum = 0;
    for (int64_t l = 4 * chunk; l < std::min(4 * chunk + 4, length); ++l)
      sum += x[b * args[1] + l];
    partial[b * chunks + chunk] = sum;
  }
}

inline void sumPartialsEntry(const int64_t *args, int64_t first, int64_t end) {
  auto *partial = reinterpret_cast<const float *>(args[0]);
  auto *sums = reinterpret_cast<float *>(args[2]);
  int64_t chunks = (args[4] + 3) / 4;
  for (int64_t b = first; b < end; ++b) {
    float sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      sum += partial[b * args[1] + chunk];
    sums[b * args[3]] = sum;
  }
}

/// A loader that knows the entries above.
inline std::shared_ptr<FakeLoader> makeLoader() {
  auto loader = std::make_shared<FakeLoader>();
  loader->entries = {{"scale", scaleEntry},
                     {"sum_chunks", sumChunksEntry},
                     {"sum_partials", sumPartialsEntry}};
  return loader;
}

} // namespace mamba::test

#endif // MAMBA_TEST_UNIT_RUNTIME_TESTARTIFACTS_H
