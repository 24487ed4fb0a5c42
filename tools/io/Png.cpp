//===- Png.cpp - Pictures in PNG files ------------------------------------===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The only file that sees the encoder. It hands over bytes and touches no file,
// so that a failed write says why.
//
//===----------------------------------------------------------------------===//

#include "tools/io/Png.h"

#include "tools/io/File.h"

#include <fmt/format.h>

// Static: another copy of the encoder may live in a program that links this.
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

using namespace mamba;

static void append(void *context, void *data, int size) {
  static_cast<std::string *>(context)->append(static_cast<const char *>(data),
                                              size);
}

Status mamba::writePng(const std::string &path, const Picture &picture) {
  if (picture.width <= 0 || picture.height <= 0 ||
      picture.rgb.size() != picture.offset(0, picture.height))
    return Status(StatusCode::InvalidArgument,
                  fmt::format("{}: a picture of {} x {} pixels with {} bytes "
                              "can't be written; required are at least 1 x 1 "
                              "pixels of 3 bytes each",
                              path, picture.width, picture.height,
                              picture.rgb.size()));
  std::string bytes;
  if (!stbi_write_png_to_func(append, &bytes, picture.width, picture.height, 3,
                              picture.rgb.data(), picture.width * 3))
    return Status(StatusCode::OutOfMemory,
                  fmt::format("{}: no memory to encode {} x {} pixels", path,
                              picture.width, picture.height));
  return writeFile(path, {bytes});
}
