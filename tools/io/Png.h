//===- Png.h - Pictures in PNG files ----------------------------*- C++ -*-===//
//
// Part of mamba-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes a picture as PNG. The encoder is stb_image_write (Debian: libstb-dev):
// one header in the public domain that needs nothing at run time, so a portable
// build of the tools stays free of libpng and zlib. It only ever sees pixels of
// our own making.
//
//===----------------------------------------------------------------------===//

#ifndef MAMBA_TOOLS_IO_PNG_H
#define MAMBA_TOOLS_IO_PNG_H

#include "runtime/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mamba {

/// A picture: rows from the top, three bytes (red, green, blue) a pixel.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;

  /// Where the pixel of column `x`, row `y` starts in `rgb`.
  size_t offset(int x, int y) const {
    return (static_cast<size_t>(y) * width + x) * 3;
  }
};

/// Writes `picture` to `path`, replacing what is there. Fails on an empty
/// picture and where the file can't be written.
Status writePng(const std::string &path, const Picture &picture);

} // namespace mamba

#endif // MAMBA_TOOLS_IO_PNG_H
