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

# One process, so that the sanitizer sees every launch.
PATH=$PATH:/usr/local/cuda/bin
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    # The driver tells how many parameters code has by a query that fails.
    compute-sanitizer --tool "$tool" --report-api-errors no \
      --error-exitcode 9 --print-limit 20 \
      "$folder/test/e2e-numerics" --device=cuda:0 --quick --jobs=0 \
      >"$output/$tool.log" 2>&1 && result=clean || result=FAILED
    echo "compute-sanitizer $tool: $result ($output/$tool.log)"
    tail -n 3 "$output/$tool.log"
    [ "$result" = clean ] || status=1
  done
  python3 "$here/defects.py" "$folder" "$output/defects.json" || status=1
else
  echo "compute-sanitizer: not installed here, nothing checked"
fi
exit $status
