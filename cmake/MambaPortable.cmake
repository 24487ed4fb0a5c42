# The portable build: LLVM once, inside libMambaMLIR.so, hidden; the programs
# are small and share it. Static programs would each hold 60 MB of LLVM, which
# no compressor finds again.

# mamba_add_portable_executable(<name> <sources> <libraries> <archives>)
# `libraries` are used through libMambaMLIR.so, `archives` are linked in.
function(mamba_add_portable_executable name sources libraries archives)
  add_library(${name}-objects OBJECT ${sources})
  target_link_libraries(${name}-objects PRIVATE mamba_flags ${libraries}
    ${archives})
  add_executable(${name} $<TARGET_OBJECTS:${name}-objects>)
  target_link_libraries(${name} PRIVATE MambaMLIR ${archives})
  # The C++ library is inside libMambaMLIR.so: one copy in the process.
  target_link_options(${name} PRIVATE -nostdlib++ -static-libgcc
    LINKER:--gc-sections)
  set_target_properties(${name} PROPERTIES
    BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/../lib")
  set_property(GLOBAL APPEND PROPERTY mamba_portable_objects
    $<TARGET_OBJECTS:${name}-objects>)
  foreach(archive IN LISTS archives)
    set_property(GLOBAL APPEND PROPERTY mamba_portable_objects
      $<TARGET_FILE:${archive}>)
  endforeach()
endfunction()

# mamba_add_portable_library(<libraries>): libMambaMLIR.so, with what the
# programs added so far need of `libraries`.
function(mamba_add_portable_library libraries)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  get_property(objects GLOBAL PROPERTY mamba_portable_objects)
  list(REMOVE_DUPLICATES objects)
  set(undefined ${CMAKE_BINARY_DIR}/portable-undefined.rsp)
  set(script ${CMAKE_BINARY_DIR}/portable-exports.map)
  add_custom_command(OUTPUT ${undefined} ${script}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/exports.py
      --nm ${LLVM_TOOLS_BINARY_DIR}/llvm-nm --undefined ${undefined}
      --version-script ${script} ${objects}
    DEPENDS ${objects} ${CMAKE_SOURCE_DIR}/cmake/exports.py
    COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Listing what the programs need of libMambaMLIR.so")
  file(WRITE ${CMAKE_BINARY_DIR}/portable.cpp "")
  add_library(MambaMLIR SHARED ${CMAKE_BINARY_DIR}/portable.cpp
    ${undefined} ${script})
  set_target_properties(MambaMLIR PROPERTIES
    LINK_DEPENDS "${undefined};${script}"
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  target_link_libraries(MambaMLIR PRIVATE ${libraries})
  target_link_options(MambaMLIR PRIVATE @${undefined}
    LINKER:--version-script=${script} LINKER:--undefined-version
    -static-libstdc++ -static-libgcc LINKER:--gc-sections LINKER:--as-needed
    LINKER:-O2 LINKER:-z,pack-relative-relocs LINKER:-z,defs)
endfunction()
