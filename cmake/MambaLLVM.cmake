# Finds LLVM and MLIR and defines the target `mamba_llvm`: what a target needs
# that includes LLVM headers (include paths, flags, libraries).

if(NOT MLIR_DIR AND EXISTS /usr/lib/llvm-22/lib/cmake/mlir)
  set(MLIR_DIR /usr/lib/llvm-22/lib/cmake/mlir)
endif()
find_package(MLIR REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

add_library(mamba_llvm INTERFACE)
target_include_directories(mamba_llvm SYSTEM INTERFACE
  ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
# Debian's LLVM has RTTI and no exceptions; a program must agree with both.
target_compile_options(mamba_llvm INTERFACE -fno-exceptions)
separate_arguments(mamba_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_options(mamba_llvm INTERFACE ${mamba_llvm_definitions})

if(MAMBA_STATIC_LLVM)
  include(MambaStaticLLVM)
  include(MambaPortable)
  target_link_libraries(mamba_llvm INTERFACE ${MAMBA_STATIC_LLVM_LIBS})
else()
  target_link_libraries(mamba_llvm INTERFACE MLIR LLVM)
endif()
