#!/bin/sh
# run.sh <folder> [output folder]: runs the unit and end-to-end tests on cuda:0,
# on a machine that needs a driver and python3 but no LLVM. <folder> holds the
# unpacked build/mamba-mlir-portable.tar.xz. Fails if no test ran on the GPU.
# Where compute-sanitizer is installed, a part of the numerics runs under it, and
# what it says of planted defects is compared with what simt says.
set -eu
folder=$(cd "$1" && pwd)
output=${2:-.}
mkdir -p "$output"
here=$(cd "$(dirname "$0")" && pwd)
status=0

for unit in "$folder"/test/unit-*; do
  [ -x "$unit" ] || continue
  name=$(basename "$unit")
  "$unit" --gtest_brief=1 --gtest_output=xml:"$output/$name.xml" || status=1
done
"$folder/test/e2e-numerics" --device=cuda:0 --jobs=8 \
  --report="$output/e2e-numerics-cuda.json" || status=1
python3 "$here/../e2e/run.py" --bin "$folder/bin" --device cuda:0 --require \
  --output "$output/e2e-cuda.json" || status=1
if command -v c++ >/dev/null; then
  python3 "$here/../e2e/ship.py" --bin "$folder/bin" --require \
    --output "$output/e2e-ship.json" || status=1
else
  echo "e2e-ship: no C++ compiler here, nothing checked"
fi

# Skipped, with 77, where there are fewer.
code=0
"$folder/test/soak-torture" --device=cuda:0,cuda:1 --seconds=60 \
  --report="$output/soak-two-gpus.json" || code=$?
[ $code -eq 0 ] || [ $code -eq 77 ] || status=1

PATH=$PATH:/usr/local/cuda/bin
if command -v compute-sanitizer >/dev/null; then
  python3 "$here/sanitize.py" "$folder" "$output/sanitizers.json" --quick \
    --jobs=4 || status=1
  python3 "$here/defects.py" "$folder" "$output/defects.json" || status=1
else
  echo "compute-sanitizer: not installed here, nothing checked"
fi
exit $status
