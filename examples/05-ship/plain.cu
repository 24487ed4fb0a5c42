//===- plain.cu - The kernel in a plain CUDA program ----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The exported CUDA C++ is a file like any other: included here, changed where
// you like, compiled by nvcc. -fmad=false gives the bits of the other forms.
//
//===----------------------------------------------------------------------===//

#include "s6.h"

#include KERNEL_FILE // Such as "selective_scan.sm_90.cu", by -DKERNEL_FILE=...

#include <cstdlib>

static void must(cudaError_t status) {
  if (status == cudaSuccess)
    return;
  std::fprintf(stderr, "error: %s\n", cudaGetErrorString(status));
  std::exit(1);
}

/// Device memory for `size` elements, filled with NaN or with values.
template <typename T> static T *memory(size_t size, const T *values = nullptr) {
  T *address = nullptr;
  must(cudaMalloc(&address, size * sizeof(T)));
  must(cudaMemset(address, 0xff, size * sizeof(T)));
  if (values)
    must(cudaMemcpy(address, values, size * sizeof(T), cudaMemcpyDefault));
  return address;
}
template <typename T> static T *memory(const std::vector<T> &values) {
  return memory(values.size(), values.data());
}

int main() {
  const Layer in;
  const size_t points = in.u.size(), last = kBatch * kChannels * kStates;
  selective_scan_args args = {};
  args.u = memory(in.u), args.delta = memory(in.delta), args.A = memory(in.A);
  args.B = memory(in.B), args.C = memory(in.C), args.D = memory(in.D);
  args.z = memory(in.z), args.bias = memory(in.bias);
  args.result0 = memory<uint16_t>(points), args.result1 = memory<float>(last);

  // Strides in elements; the file's head says which are 1.
  const long long sequence = kLength * kChannels;
  args.u_stride_b = args.delta_stride_b = args.z_stride_b = sequence;
  args.u_stride_l = args.delta_stride_l = args.z_stride_l = kChannels;
  args.result0_stride_b = sequence, args.result0_stride_l = kChannels;
  args.B_stride_b = args.C_stride_b = kLength * kStates;
  args.B_stride_l = args.C_stride_l = args.A_stride_d = kStates;
  args.result1_stride_b = kChannels * kStates, args.result1_stride_d = kStates;
  args.batch = kBatch, args.length = kLength, args.channels = kChannels;

  must(selective_scan(args, nullptr));
  Halves y(points);
  must(cudaMemcpy(y.data(), args.result0, points * 2, cudaMemcpyDefault));
  return check("y", forward(in), 3e-3, [&](size_t i) { return toFloat(y[i]); })
             ? 0
             : 1;
}
