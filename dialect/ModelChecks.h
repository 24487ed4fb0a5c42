//===- ModelChecks.h - Rules that ops of model IR share ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_DIALECT_MODELCHECKS_H
#define MAMBA_DIALECT_MODELCHECKS_H

#include "dialect/SSMDialect.h"

namespace mlir::ssm::model {

inline constexpr Axis B = Axis::Batch, L = Axis::Length, D = Axis::Channel,
                      N = Axis::State, G = Axis::Group;

/// Collects the extent of each axis over the operands of an op and reports
/// the first disagreement.
class Extents {
public:
  Extents(Operation *op, StringRef label) : op(op), label(label) {}

  LogicalResult add(StringRef name, Value value, AccessAttr access) {
    auto type = cast<RankedTensorType>(value.getType());
    for (auto [dim, axis] : llvm::enumerate(access.getAxes())) {
      int64_t extent = type.getDimSize(dim);
      if (axis == Axis::Group)
        groups.push_back({name, extent});
      else if (failed(merge(name, dim, axis, extent)))
        return failure();
    }
    return success();
  }

  LogicalResult finish() {
    int64_t channels = extents[static_cast<unsigned>(Axis::Channel)];
    for (auto [name, extent] : groups) {
      if (extent == ShapedType::kDynamic || extent < 1)
        return op->emitOpError() << label << "'" << name
                                 << "' has a dynamic or empty group extent, "
                                    "expected a static positive one";
      if (channels != ShapedType::kDynamic && channels % extent != 0)
        return op->emitOpError() << label << "'" << name << "' has " << extent
                                 << " groups, which do not divide the "
                                 << channels << " channels";
    }
    return success();
  }

private:
  LogicalResult merge(StringRef name, unsigned dim, Axis axis, int64_t extent) {
    int64_t &known = extents[static_cast<unsigned>(axis)];
    if (extent == ShapedType::kDynamic)
      return success();
    if (known != ShapedType::kDynamic && known != extent)
      return op->emitOpError()
             << label << "dimension " << dim << " (" << stringifyAxis(axis)
             << ") of '" << name << "' is " << extent << ", expected " << known;
    known = extent;
    return success();
  }

  Operation *op;
  StringRef label;
  int64_t extents[5] = {ShapedType::kDynamic, ShapedType::kDynamic,
                        ShapedType::kDynamic, ShapedType::kDynamic,
                        ShapedType::kDynamic};
  SmallVector<std::pair<StringRef, int64_t>> groups;
};

inline AccessAttr access(MLIRContext *context, ArrayRef<Axis> axes) {
  return AccessAttr::get(context, axes);
}

inline RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

inline LogicalResult verifyRank(Operation *op, StringRef label, StringRef name,
                                Value value, ArrayRef<int64_t> ranks,
                                StringRef meaning) {
  if (llvm::is_contained(ranks, tensorType(value).getRank()))
    return success();
  return op->emitOpError() << label << "'" << name << "' has type "
                           << value.getType() << ", expected " << meaning;
}

inline LogicalResult verifyStateExtent(Operation *op, StringRef label,
                                       Value states) {
  int64_t extent = tensorType(states).getShape().back();
  if (extent != ShapedType::kDynamic && extent > 0)
    return success();
  return op->emitOpError()
         << label << "the state extent of " << states.getType()
         << " is dynamic or zero, expected a static positive number";
}

} // namespace mlir::ssm::model

#endif // MAMBA_DIALECT_MODELCHECKS_H
