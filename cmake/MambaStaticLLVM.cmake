# Links LLVM and MLIR from Debian's archives, for tools that run where no LLVM
# is installed. Defines MAMBA_STATIC_LLVM_LIBS.

# Debian builds MLIR with LLVM_LINK_LLVM_DYLIB: every archive's interface names
# the shared LLVM and would pull it in beside the archives.
foreach(target IN LISTS MLIR_EXPORTED_TARGETS)
  if(TARGET ${target})
    get_target_property(libs ${target} INTERFACE_LINK_LIBRARIES)
    if(libs AND "LLVM" IN_LIST libs)
      list(REMOVE_ITEM libs LLVM)
      set_target_properties(${target} PROPERTIES
        INTERFACE_LINK_LIBRARIES "${libs}")
    endif()
  endif()
endforeach()
# Only Z3Solver.cpp.o needs libz3, and nothing of ours needs Z3Solver; zlib and
# zstd are linked from their archives.
find_library(MAMBA_ZLIB libz.a REQUIRED)
find_library(MAMBA_ZSTD libzstd.a REQUIRED)
get_target_property(libs LLVMSupport INTERFACE_LINK_LIBRARIES)
list(FILTER libs EXCLUDE REGEX "libz3|zstd|ZLIB")
list(APPEND libs ${MAMBA_ZLIB} ${MAMBA_ZSTD})
set_target_properties(LLVMSupport PROPERTIES INTERFACE_LINK_LIBRARIES "${libs}")

llvm_map_components_to_libnames(mamba_llvm_components
  NVPTX X86 orcjit perfjitevents passes support core)
set(MAMBA_STATIC_LLVM_LIBS
  MLIROptLib MLIRTranslateLib MLIRLspServerLib MLIRParser MLIRPass
  MLIRTransforms MLIRBytecodeWriter
  MLIRAffineDialect MLIRAffineTransforms MLIRArithDialect MLIRArithTransforms
  MLIRBufferizationDialect MLIRBufferizationTransforms MLIRComplexDialect
  MLIRControlFlowDialect MLIRDLTIDialect MLIRFuncDialect MLIRGPUDialect
  MLIRGPUTransforms MLIRIndexDialect MLIRLLVMDialect MLIRLLVMIRTransforms
  MLIRLinalgDialect MLIRLinalgTransforms MLIRMathDialect MLIRMathTransforms
  MLIRMemRefDialect MLIRMemRefTransforms MLIRNVGPUDialect MLIRNVVMDialect
  MLIRSCFDialect MLIRSCFTransforms MLIRTensorDialect MLIRTensorTransforms
  MLIRUBDialect MLIRVectorDialect MLIRVectorTransforms
  MLIRAffineToStandard MLIRArithToLLVM MLIRComplexToLLVM
  MLIRComplexToStandard MLIRControlFlowToLLVM MLIRConvertToLLVMPass
  MLIRFuncToLLVM MLIRGPUToNVVMTransforms MLIRIndexToLLVM MLIRMathToLLVM
  MLIRMathToLibm
  MLIRMemRefToLLVM MLIRNVGPUToNVVM MLIRNVVMToLLVM MLIRReconcileUnrealizedCasts
  MLIRSCFToControlFlow MLIRUBToLLVM MLIRVectorToLLVMPass MLIRVectorToSCF
  MLIRNVVMTarget MLIRTargetLLVMIRExport MLIRBuiltinToLLVMIRTranslation
  MLIRGPUToLLVMIRTranslation MLIRLLVMToLLVMIRTranslation
  MLIRNVVMToLLVMIRTranslation
  LLVMSupportLSP ${mamba_llvm_components})
