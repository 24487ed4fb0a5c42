/*===- mamba_loader.h - Exported kernels, from C ------------------*- C -*-===*\
|*                                                                            *|
|* Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.    *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
|*===----------------------------------------------------------------------===*|
|*                                                                            *|
|* libmamba_loader.so opens what mamba-export wrote and launches it. It needs *|
|* libc and libstdc++, and at run time NVIDIA's driver; no compiler, no CUDA  *|
|* toolkit. mamba-export writes a header for each bundle, which includes this *|
|* one and has a type for the tensors of each function.                       *|
|*                                                                            *|
|* Functions return MAMBA_OK or an error code; mamba_error() has the words.   *|
|* Everything may be called from any thread.                                  *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef MAMBA_LOADER_H
#define MAMBA_LOADER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this interface; a library of another one refuses to work. */
#define MAMBA_LOADER_ABI 1

typedef enum mamba_status {
  MAMBA_OK = 0,
  MAMBA_INVALID_ARGUMENT,  /**< Tensors that a kernel can't take. */
  MAMBA_NOT_FOUND,         /**< A file, library, device or function. */
  MAMBA_UNSUPPORTED,       /**< Not on this device, driver or build. */
  MAMBA_DRIVER_ERROR,      /**< The CUDA driver refused a call. */
  MAMBA_OUT_OF_MEMORY,     /**< Of host or device. */
  MAMBA_CORRUPT_DATA,      /**< A bundle that was cut or changed. */
  MAMBA_IO_ERROR,          /**< The system refused a file operation. */
  MAMBA_COMPILE_ERROR,     /**< The driver rejected the code. */
  MAMBA_CAPTURE_FORBIDDEN, /**< mamba_prepare() was not called before. */
  MAMBA_FORKED,            /**< The device was opened before the fork. */
  MAMBA_INTERNAL           /**< A bug of the library. */
} mamba_status;

typedef enum mamba_dtype {
  MAMBA_F64 = 0,
  MAMBA_F32,
  MAMBA_F16,
  MAMBA_BF16,
  MAMBA_C64, /**< Two floats: real and imaginary part. */
  MAMBA_C128
} mamba_dtype;

#define MAMBA_MAX_RANK 8

/** A strided array of some device's memory, which the caller owns and which
    must outlive the launches that use it. Strides are in elements; 0 reads an
    element again and again, negative ones run backwards. */
typedef struct mamba_tensor {
  void *data;
  int32_t dtype; /**< A mamba_dtype. */
  int32_t rank;
  int64_t shape[MAMBA_MAX_RANK];
  int64_t strides[MAMBA_MAX_RANK];
} mamba_tensor;

/** A CUDA device, and a bundle; opened by the functions below. A device that is
    opened twice is the same one. */
typedef struct mamba_device mamba_device;
typedef struct mamba_bundle mamba_bundle;

/** What went wrong in this thread's last failed call; "" if none did. Valid
    until the next one fails. */
const char *mamba_error(void);

/** Fails if the library's interface is not `abi`; generated headers pass
    MAMBA_LOADER_ABI. */
mamba_status mamba_check_abi(int32_t abi);

/** Opens "cuda" or "cuda:N" by the driver, without the CUDA runtime; streams
    and memory of both can be used. Release it with mamba_device_close(). */
mamba_status mamba_device_open(const char *name, mamba_device **device);
void mamba_device_close(mamba_device *device);
/** "cuda:0", and its architecture such as "sm_90". */
const char *mamba_device_name(const mamba_device *device);
const char *mamba_device_architecture(const mamba_device *device);

/** Opens the folder that mamba-export wrote. If `checksum` is not null, the
    manifest must have it: generated headers pass that of their bundle. */
mamba_status mamba_bundle_open(const char *folder, const char *checksum,
                               mamba_bundle **bundle);
/** Takes the code and the temporaries of its functions with it, on all devices:
    kernels that were launched must have finished, and CUDA graphs with launches
    in them must not be used any more. */
void mamba_bundle_close(mamba_bundle *bundle);
/** The number of the function called `name`, or -1. */
int32_t mamba_bundle_find(const mamba_bundle *bundle, const char *name);

/** Runs function number `function` on `count` tensors: its inputs, then its
    results. Queued on `stream` (a CUstream or cudaStream_t; null: the default
    one). The first launch of each kind reads, checks and loads the code, which
    must not happen while any thread captures a CUDA graph: prepare before.
    Launches of a function on one stream share its temporaries; those on other
    streams have others, which stay until the bundle is closed. A stream must be
    idle when it is destroyed. */
mamba_status mamba_launch(mamba_bundle *bundle, mamba_device *device,
                          int32_t function, const mamba_tensor *tensors,
                          size_t count, void *stream);
/** All that mamba_launch() does once, without launching: after it, such a
    launch may be captured in a CUDA graph from this `stream`. The graph keeps
    the stream's temporaries: it must not run at the same time as launches on
    that stream, or as another graph from it. */
mamba_status mamba_prepare(mamba_bundle *bundle, mamba_device *device,
                           int32_t function, const mamba_tensor *tensors,
                           size_t count, void *stream);

/** Device memory, for programs that have no other source of it. Copies wait for
    everything that was queued on the device, and are done on return. Null is
    freed by doing nothing. */
mamba_status mamba_allocate(mamba_device *device, int64_t bytes, void **memory);
void mamba_free(mamba_device *device, void *memory);
mamba_status mamba_copy_in(mamba_device *device, void *target,
                           const void *host_source, int64_t bytes);
mamba_status mamba_copy_out(mamba_device *device, void *host_target,
                            const void *source, int64_t bytes);
/** Waits for everything that was queued, and reports errors of kernels. */
mamba_status mamba_synchronize(mamba_device *device);

/** Tensors whose element type and rank the compiler of the program checks:
    mamba_bf16_3d and the like, of which mamba_any_bf16_3d() makes a
    mamba_tensor. Strides are in elements; mamba_bf16_3d_row_major() computes
    those of memory without gaps, the last dimension innermost. */
#define MAMBA_DEFINE_TENSOR(type, element, dtype_, n)                          \
  typedef struct mamba_##type##_##n##d {                                       \
    element *data;                                                             \
    int64_t shape[n];                                                          \
    int64_t strides[n];                                                        \
  } mamba_##type##_##n##d;                                                     \
  static inline mamba_tensor mamba_any_##type##_##n##d(                        \
      const mamba_##type##_##n##d *typed) {                                    \
    mamba_tensor any = {typed->data, (int32_t)(dtype_), n, {0}, {0}};          \
    for (int i = 0; i < n; ++i) {                                              \
      any.shape[i] = typed->shape[i];                                          \
      any.strides[i] = typed->strides[i];                                      \
    }                                                                          \
    return any;                                                                \
  }                                                                            \
  static inline mamba_##type##_##n##d mamba_##type##_##n##d##_row_major(       \
      element *data, const int64_t shape[n]) {                                 \
    mamba_##type##_##n##d typed;                                               \
    int64_t stride = 1;                                                        \
    typed.data = data;                                                         \
    for (int i = n; i-- > 0;) {                                                \
      typed.shape[i] = shape[i];                                               \
      typed.strides[i] = stride;                                               \
      stride *= shape[i];                                                      \
    }                                                                          \
    return typed;                                                              \
  }
#define MAMBA_DEFINE_TENSORS(type, element, dtype_)                            \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 1)                                \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 2)                                \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 3)                                \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 4)                                \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 5)                                \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 6)                                \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 7)                                \
  MAMBA_DEFINE_TENSOR(type, element, dtype_, 8)
MAMBA_DEFINE_TENSORS(f64, double, MAMBA_F64)
MAMBA_DEFINE_TENSORS(f32, float, MAMBA_F32)
MAMBA_DEFINE_TENSORS(f16, void, MAMBA_F16)
MAMBA_DEFINE_TENSORS(bf16, void, MAMBA_BF16)
MAMBA_DEFINE_TENSORS(c64, void, MAMBA_C64)
MAMBA_DEFINE_TENSORS(c128, void, MAMBA_C128)

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MAMBA_LOADER_H */
