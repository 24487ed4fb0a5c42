//===- SSMDialect.h - The ssm dialect, its attributes and ops -*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_DIALECT_SSMDIALECT_H
#define MAMBA_DIALECT_SSMDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/SSMDialect.h.inc"
#include "dialect/SSMEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/SSMAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialect/SSMOps.h.inc"

namespace mlir::ssm {

/// Name of the attribute of type LayoutAttr on function arguments and results.
inline constexpr StringLiteral kLayoutAttrName = "ssm.layout";
/// Name of the string attribute that names a function's argument or result.
inline constexpr StringLiteral kNameAttrName = "ssm.name";
/// Name of the gradient of argument or result number `i`: "d" before its own,
/// if it has one (null for none).
std::string gradientName(StringAttr name, StringRef kind, unsigned i);
/// Names of integer attributes on a function: divisors of its channel extent
/// and of its length.
inline constexpr StringLiteral kMultipleAttrName = "ssm.channel_multiple";
inline constexpr StringLiteral kLengthMultipleAttrName = "ssm.length_multiple";
/// Name of the dictionary on a lowered module: its tensors.
inline constexpr StringLiteral kPlanAttrName = "ssm.plan";
/// Name of the dictionary on a lowered kernel: its grid and arguments.
inline constexpr StringLiteral kLaunchAttrName = "ssm.launch";
/// Name of the unit attribute on a lowered math.exp2 that is to be a
/// polynomial.
inline constexpr StringLiteral kOnFmaAttrName = "ssm.on_fma";

/// Real element type of `type`: T for T and for complex<T>.
Type realTypeOf(Type type);

/// True for a constant whose elements all are zero, real or complex.
bool isZero(Value value);

/// Parses an access, which may be empty, between brackets of the kind
/// `delimiter`; null where an error was emitted.
AccessAttr parseAccess(AsmParser &parser, AsmParser::Delimiter delimiter);

/// "b", "l", "d", "n", "g" or "l/64" joined as in the assembly: "[b, l, d]".
std::string toString(AccessAttr access);

/// The type of what is saved of states of type `states`: segments in place of
/// l.
Type savedType(RankedTensorType states, int64_t every);

/// The number of segments of `every` steps; dynamic for a dynamic length.
int64_t segmentsOf(int64_t length, int64_t every);

} // namespace mlir::ssm

#endif // MAMBA_DIALECT_SSMDIALECT_H
