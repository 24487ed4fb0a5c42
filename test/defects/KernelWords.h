//===- KernelWords.h - Words of kernels written by hand ---------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pieces of a HandKernel's body. Each defines the values it is named after.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TEST_DEFECTS_KERNELWORDS_H
#define MAMBA_TEST_DEFECTS_KERNELWORDS_H

#include <string>

namespace mamba::test {

/// %mine: the thread's own float of shared memory.
inline const std::string kMyShared = R"(
%mine = llvm.getelementptr %shared[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
)";

/// %value: the input's float of the thread's number.
inline const std::string kLoadX = R"(
%xAt = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
%value = llvm.load %xAt : !llvm.ptr<1> -> f32
)";

/// %yAt: where the thread's result goes.
inline const std::string kYAt = R"(
%yAt = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
)";

/// A barrier of the warp.
inline const std::string kWarpSync = R"(
%all = arith.constant -1 : i32
nvvm.bar.warp.sync %all : i32
)";

/// The first warp writes its values to shared memory behind 16 bytes, and does
/// `arrive` at the barrier at the start, of `arrivals`; the second warp takes
/// them behind `wait`.
inline std::string handOver(const std::string &arrivals,
                            const std::string &arrive,
                            const std::string &wait) {
  return kLoadX + kYAt + R"(
%zero = arith.constant 0 : i32
%arrivals = arith.constant )" +
         arrivals + R"( : i32
%warpSize = arith.constant 32 : i32
%start = arith.constant 4 : i32
%lane = arith.remui %i, %warpSize : i32
%slot = arith.addi %lane, %start : i32
%at = llvm.getelementptr %shared[%slot] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
%isFirst = arith.cmpi eq, %i, %zero : i32
scf.if %isFirst {
  nvvm.mbarrier.init %shared, %arrivals : !llvm.ptr<3>, i32
}
%isLow = arith.cmpi ult, %i, %warpSize : i32
scf.if %isLow {
  %none = arith.constant 0.0 : f32
  llvm.store %none, %at : f32, !llvm.ptr<3>
}
gpu.barrier
scf.if %isLow {
  llvm.store %value, %at : f32, !llvm.ptr<3>
)" + arrive +
         R"(
} else {
)" + wait +
         R"(
  %got = llvm.load %at : !llvm.ptr<3> -> f32 // HERE
  llvm.store %got, %yAt : f32, !llvm.ptr<1>
}
)";
}

/// All lanes arrive once they have met; the first one does for all; and a wait
/// for the phase.
inline const std::string kAllArrive = R"(
%everyLane = arith.constant -1 : i32
nvvm.bar.warp.sync %everyLane : i32
%phase = nvvm.mbarrier.arrive %shared : !llvm.ptr<3> -> i64
)";
inline const std::string kFirstArrives = R"(
scf.if %isFirst {
  %phase = nvvm.mbarrier.arrive %shared : !llvm.ptr<3> -> i64
}
)";
inline const std::string kWaitForPhase = R"(
scf.while : () -> () {
  %isOver = nvvm.mbarrier.try_wait %shared, %zero : !llvm.ptr<3>, i32 -> i1
  %true = arith.constant true
  %isOpen = arith.xori %isOver, %true : i1
  scf.condition(%isOpen)
} do {
  scf.yield
}
)";

/// %isLow: whether the thread is among the first `bound`.
inline std::string isBelow(const std::string &bound) {
  return R"(
%bound = arith.constant )" +
         bound + R"( : i32
%isLow = arith.cmpi ult, %i, %bound : i32
)";
}

/// Each thread takes %got, the value of thread i & `mask`, through shared
/// memory.
inline std::string takeFrom(const std::string &mask, const std::string &between,
                            const std::string &behind = "") {
  return kMyShared + kLoadX + kYAt + R"(
%mask = arith.constant )" +
         mask + R"( : i32
%other = arith.andi %i, %mask : i32
%theirs = llvm.getelementptr %shared[%other] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
llvm.store %value, %mine : f32, !llvm.ptr<3>
)" + between +
         R"(
%got = llvm.load %theirs : !llvm.ptr<3> -> f32 // HERE
llvm.store %got, %yAt : f32, !llvm.ptr<1>
)" + behind;
}

/// The first 16 threads shuffle among the lanes of `mask`.
inline std::string shuffle(const std::string &mask) {
  return kLoadX + kYAt + isBelow("16") + R"(
%mask = arith.constant )" +
         mask + R"( : i32
%one = arith.constant 1 : i32
%none = arith.constant 0 : i32
scf.if %isLow {
  %got = nvvm.shfl.sync up %mask, %value, %one, %none : f32 -> f32 // HERE
  llvm.store %got, %yAt : f32, !llvm.ptr<1>
}
)";
}

} // namespace mamba::test

#endif // MAMBA_TEST_DEFECTS_KERNELWORDS_H
