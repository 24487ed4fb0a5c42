#!/bin/sh
# package.sh <build folder> <archive.tar.xz>: packs a portable build's programs,
# their library, the loader of bundles with its header, and the unit tests,
# stripped. Fails if they need more than glibc; the loader: and libstdc++.
set -eu
build=$1
archive=$2
llvm=${LLVM_TOOLS:-/usr/lib/llvm-22/bin}

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
top=$stage/mamba-mlir
mkdir -p "$top/bin" "$top/lib" "$top/test"
for program in "$build"/bin/*; do
  case $(basename "$program") in
  unit-* | e2e-* | *-torture | *.so) folder=test ;;
  *) folder=bin ;;
  esac
  "$llvm/llvm-strip" -o "$top/$folder/$(basename "$program")" "$program"
done
"$llvm/llvm-strip" -o "$top/lib/libMambaMLIR.so" "$build/lib/libMambaMLIR.so"
"$llvm/llvm-strip" -o "$top/lib/libmamba_loader.so" "$build/lib/libmamba_loader.so"
mkdir "$top/include"
cp "$(dirname "$0")/../runtime/loader/mamba_loader.h" "$top/include/"
cp "$(dirname "$0")/../LICENSE" "$top/"

# The .so names that the files need, without those of the first argument.
needed() {
  known=$1
  shift
  "$llvm/llvm-readelf" --needed-libs "$@" | grep '\.so' |
    grep -vE "File:|lib(c|m)\.so|ld-linux|$known" | sort -u || true
}
foreign=$(needed 'libMambaMLIR\.so' "$top"/bin/* "$top"/test/* \
  "$top/lib/libMambaMLIR.so")
foreign=$foreign$(needed 'lib(stdc\+\+|gcc_s)\.so' "$top/lib/libmamba_loader.so")
if [ -n "$foreign" ]; then
  echo "error: the portable build needs libraries beside glibc:" $foreign >&2
  exit 1
fi

tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner -cf - mamba-mlir |
  xz -T0 -6 >"$archive.part"
mv "$archive.part" "$archive"
echo "$archive: $(du -h "$archive" | cut -f1) ($(du -sh "$top" | cut -f1) unpacked)"
