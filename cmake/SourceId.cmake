# cmake -DSOURCE=<folder> -DOUTPUT=<file> -P SourceId.cmake
#
# Writes a string literal that stands for what the compiler is made of: the same
# in every program that holds the same compiler, wherever it was built.
file(GLOB_RECURSE files RELATIVE ${SOURCE}
  ${SOURCE}/dialect/*.cpp ${SOURCE}/dialect/*.h ${SOURCE}/dialect/*.td
  ${SOURCE}/passes/*.cpp ${SOURCE}/passes/*.h ${SOURCE}/passes/*.td ${SOURCE}/passes/*.inc
  ${SOURCE}/codegen/*.cpp ${SOURCE}/codegen/*.h ${SOURCE}/codegen/*.td)
list(SORT files)
set(all "")
foreach(file IN LISTS files)
  file(SHA256 ${SOURCE}/${file} hash)
  string(APPEND all "${file} ${hash}\n")
endforeach()
string(SHA256 id "${all}")
file(WRITE ${OUTPUT} "\"${id}\"\n")
