//===- Request.cpp - What a variant is compiled for -----------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/problem/Request.h"

using namespace mamba;

/// Addresses that lie far apart and are aligned as allocators align: layouts
/// are deduced from addresses, and nothing is read.
static void *pretendAddress(size_t index) {
  return reinterpret_cast<void *>((index + 1) << 52);
}

/// What a launch with the given extents and memory would compile.
static Result<VariantRequest> requestForExtents(const Function &function,
                                                const ProblemOptions &problem,
                                                const Extents &extents) {
  const FunctionInfo &info = function.info();
  std::vector<TensorView> views;
  for (size_t i = 0; i < info.tensors.size(); ++i) {
    const TensorSpec &spec = info.tensors[i];
    MAMBA_ASSIGN_OR_RETURN(std::vector<int64_t> shape, shapeOf(spec, extents));
    MAMBA_ASSIGN_OR_RETURN(Placement placement, problem.place(spec, shape));
    auto *base = static_cast<std::byte *>(pretendAddress(i));
    views.emplace_back(base + placement.offset * byteSize(spec.dtype),
                       spec.dtype, shape, placement.strides);
  }
  return function.request(views);
}

/// Without extents only the unit dimensions are known.
static Result<VariantRequest> requestForOrders(const Function &function,
                                               const ProblemOptions &problem) {
  VariantRequest request;
  for (const TensorSpec &spec : function.info().tensors) {
    std::vector<int64_t> shape(spec.dims.size(), 2);
    MAMBA_ASSIGN_OR_RETURN(Placement placement, problem.place(spec, shape));
    LayoutSpec layout{-1, static_cast<uint8_t>(byteSize(spec.dtype))};
    for (size_t dim = 0; dim < shape.size(); ++dim)
      if (placement.strides[dim] == 1)
        layout.unitDim = static_cast<int8_t>(dim);
    request.layouts.push_back(layout);
  }
  return request;
}

Result<VariantRequest> mamba::makeRequest(const Function &function,
                                          const ProblemOptions &options,
                                          const Extents &given,
                                          const FunctionInfo *partner) {
  const FunctionInfo &info = function.info();
  MAMBA_ASSIGN_OR_RETURN(ProblemOptions problem,
                         options.forFunction(info, partner));
  if (given.list().empty())
    return requestForOrders(function, problem);
  Extents extents = given;
  MAMBA_RETURN_IF_ERROR(addStaticExtents(info, extents));
  return requestForExtents(function, problem, extents);
}
