#!/bin/sh
# build.sh <preset> <jobs> [target...]: configures and builds a preset into
# build/<preset>; quiet unless something fails.
set -eu
preset=$1
jobs=$2
shift 2
cd "$(dirname "$0")/.."
# Paths below the root are hashed as relative ones: presets share objects.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$PWD}"
mkdir -p "build/$preset"
log=build/$preset/configure.log
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
cmake --build --preset "$preset" --parallel "$jobs" ${1:+--target "$@"}
