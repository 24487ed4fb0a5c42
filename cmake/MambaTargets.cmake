# Functions that the folders' CMakeLists.txt use.

# mamba_add_library(<name> [SOURCES ...] [LINK ...])
# A static library; without sources (a folder not yet filled) an interface
# library, so that dependents configure all the same.
function(mamba_add_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(${name} PRIVATE mamba_flags PUBLIC ${arg_LINK})
    # Fuzzers steer by what their inputs reach in the libraries.
    if(MAMBA_BUILD_FUZZERS)
      target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_LINK})
  endif()
endfunction()

# mamba_add_executable(<name> [SOURCES ...] [LINK ...] [ARCHIVES ...])
# LINK are libraries of this project, ARCHIVES others that are linked statically.
function(mamba_add_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;ARCHIVES" ${ARGN})
  if(MAMBA_STATIC_LLVM)
    mamba_add_portable_executable(${name} "${arg_SOURCES}" "${arg_LINK}"
      "${arg_ARCHIVES}")
  else()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE mamba_flags ${arg_LINK}
      ${arg_ARCHIVES})
  endif()
endfunction()

# mamba_tablegen(<file.td> <stem> <options>...)
# Writes <stem>.inc beside the folder's other generated files, if the .td is
# there; the file is part of the folder's next mamba_tablegen_target().
macro(mamba_tablegen td stem)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${td})
    set(LLVM_TARGET_DEFINITIONS ${td})
    mlir_tablegen(${stem}.inc ${ARGN})
  endif()
endmacro()

# mamba_tablegen_target(<name>): a target for what mamba_tablegen wrote so far.
macro(mamba_tablegen_target name)
  if(TABLEGEN_OUTPUT)
    add_public_tablegen_target(${name})
  else()
    add_custom_target(${name})
  endif()
endmacro()
