#!/bin/sh
# Installs with apt what the build needs and this Debian 12 lacks. Does nothing,
# and needs no rights, where everything is there.
set -eu

packages="alsa-utils ccache clang-22 clang-format-22 cmake
libboost-context-dev libclang-rt-22-dev libfmt-dev libgtest-dev
libkissfft-dev libmlir-22-dev libstb-dev libxxhash-dev libzstd-dev lld-22
llvm-22-dev llvm-22-tools mlir-22-tools ninja-build nlohmann-json3-dev python3 xz-utils zlib1g-dev"

# shellcheck disable=SC2086 # a list of packages
installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' $packages \
  2>/dev/null || true)"
missing=""
for package in $packages; do
  case $installed in
  *" $package:installed "*) ;;
  *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "error: these packages are missing:$missing" >&2
    echo "Run as root or install sudo, or: apt-get install$missing" >&2
    exit 1
  fi
  sudo="sudo"
fi

echo "Installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o Acquire::Retries=3 "$@" >"$log" 2>&1 && return
  cat "$log" >&2
  echo "error: apt-get $* failed. LLVM 22 comes from bookworm-security: is it" \
    "in /etc/apt/sources.list?" >&2
  exit 1
}
apt update
# shellcheck disable=SC2086 # a list of packages
apt install --no-install-recommends $missing
