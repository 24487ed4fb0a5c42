//===- ship.cpp - A program with kernels and no compiler ------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs the S6 layer and its gradients from a bundle that mamba-export wrote:
//
//     ship FOLDER [cuda:0]
//
//===----------------------------------------------------------------------===//

#include "memory.h"
#include "s6.h"
#include "selective_scan_bundle.h" // Written by mamba-export.

#include <chrono>

int main(int argc, char **argv) {
  const auto start = std::chrono::steady_clock::now();
  mamba_bundle *bundle = nullptr;
  must(selective_scan_open(argc > 1 ? argv[1] : ".", &bundle));
  const auto opened = std::chrono::steady_clock::now();
  must(mamba_device_open(argc > 2 ? argv[2] : "cuda:0", &device));

  const Layer in;
  const size_t points = in.u.size(), last = kBatch * kChannels * kStates;
  const int64_t segments = (kLength + 31) / 32;
  const int64_t bld[] = {kBatch, kLength, kChannels},
                dn[] = {kChannels, kStates},
                blgn[] = {kBatch, kLength, 1, kStates}, dim[] = {kChannels},
                bdn[] = {kBatch, kChannels, kStates},
                bkdn[] = {kBatch, segments, kChannels, kStates};
  // Memory here has no gaps; any strides will do.
  auto points3 = [&](void *p) { return mamba_bf16_3d_row_major(p, bld); };
  auto states4 = [&](void *p) { return mamba_bf16_4d_row_major(p, blgn); };
  auto channels1 = [&](float *p) { return mamba_f32_1d_row_major(p, dim); };

  selective_scan_tensors f = {};
  f.u = points3(memory(in.u)), f.delta = points3(memory(in.delta));
  f.A = mamba_f32_2d_row_major(memory(in.A), dn);
  f.B = states4(memory(in.B)), f.C = states4(memory(in.C));
  f.D = channels1(memory(in.D)), f.bias = channels1(memory(in.bias));
  f.z = points3(memory(in.z)), f.result0 = points3(memory<uint16_t>(points));
  f.result1 = mamba_f32_3d_row_major(memory<float>(last), bdn);
  f.saved0 = mamba_f32_4d_row_major(memory<float>(last * segments), bkdn);
  const auto ready = std::chrono::steady_clock::now();
  must(selective_scan_launch(bundle, device, &f, nullptr));
  const auto launched = std::chrono::steady_clock::now();

  // The gradients of the sum of y: dL/dy is 1, dL/d(last state) is 0.
  selective_scan_backward_tensors g = {};
  g.u = f.u, g.delta = f.delta, g.A = f.A, g.B = f.B, g.C = f.C, g.D = f.D;
  g.z = f.z, g.bias = f.bias, g.saved0 = f.saved0;
  g.dresult0 = points3(memory(Halves(points, toHalf(1))));
  g.dresult1 = mamba_f32_3d_row_major(memory(Floats(last, 0)), bdn);
  g.du = points3(memory<uint16_t>(points)),
  g.dz = points3(memory<uint16_t>(points));
  g.ddelta = points3(memory<uint16_t>(points));
  g.dA = mamba_f32_2d_row_major(memory<float>(in.A.size()), dn);
  g.dB = states4(memory<uint16_t>(in.B.size())),
  g.dC = states4(memory<uint16_t>(in.C.size()));
  g.dD = channels1(memory<float>(kChannels)),
  g.dbias = channels1(memory<float>(kChannels));
  must(selective_scan_backward_launch(bundle, device, &g, nullptr));
  must(mamba_synchronize(device));

  auto millis = [](auto duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
  };
  std::printf("S6 layer on %s: bundle opened in %.2f ms, code loaded and "
              "launched in %.2f ms\n",
              mamba_device_name(device), millis(opened - start),
              millis(launched - ready));
  const auto y = download<uint16_t>(f.result0.data, points);
  const auto dD = download<float>(g.dD.data, kChannels);
  const bool isRight =
      check("y", forward(in), 3e-3, [&](size_t i) { return toFloat(y[i]); }) &&
      check("dD", gradientOfD(in), 1e-5, [&](size_t i) { return dD[i]; });
  mamba_bundle_close(bundle);
  mamba_device_close(device);
  return isRight ? 0 : 1;
}
