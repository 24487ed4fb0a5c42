# Compiler flags of our own code. LLVM's HandleLLVMOptions is not used: it sets
# the flags of LLVM's own build (warnings, exceptions), not ours.

add_library(mamba_flags INTERFACE)
target_compile_options(mamba_flags INTERFACE -Wall -Wextra -Werror
  -ffunction-sections -fdata-sections)

# The keys of cached kernels hold the build id of what compiled them.
add_link_options(LINKER:--build-id=sha1)

# Asserts are for bugs of our own: on in every build that is not for shipping.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(mamba_flags INTERFACE -UNDEBUG)
endif()

# mamba_sanitize(): sanitizes the folders that are added from here on.
macro(mamba_sanitize)
  # vptr checks need type information of LLVM's classes on both sides.
  add_compile_options(-fsanitize=${MAMBA_SANITIZE} -fno-sanitize=vptr
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MAMBA_SANITIZE})
endmacro()
