#!/bin/sh
# Builds the bridge and its test driver, and runs it under Wine: test/native/run.sh [FOLDER for the build]
# ZUGBRUECKE_ARCH=win32 does so for 32 bits. WINE and WINEPREFIX may be given; otherwise a fresh prefix is made in the build folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
native=$here/../../wine-host/native
arch=${ZUGBRUECKE_ARCH:-win64}
build=${1:-${TMPDIR:-/tmp}/zugbruecke-native-test-$arch}
wine=${WINE:-/usr/lib/wine/wine64}
compiler=x86_64-w64-mingw32-gcc
[ "$arch" = win64 ] || compiler=i686-w64-mingw32-gcc
mkdir -p "$build"
export WINEPREFIX="${WINEPREFIX:-$build/prefix}" WINEDEBUG="${WINEDEBUG:--all}" WINEDLLOVERRIDES="${WINEDLLOVERRIDES:-mscoree,mshtml=}"
make -s -C "$native"
cp "$native/bridge-$arch.dll" "$build/"
own=
[ "$arch" = win64 ] || own=$here/i386.c
# shellcheck disable=SC2086 # a path or nothing
$compiler -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-parameter -fno-ident -I"$native" \
  "$here/main.c" "$here/node.c" "$here/calls.c" "$here/crashes.c" "$here/batches.c" "$here/callbacks.c" "$here/texts.c" \
  "$here/modes.c" "$here/fuzz.c" $own \
  "$build/bridge-$arch.dll" -o "$build/driver.exe"
# the first Wine process of a prefix starts services that keep what they inherit
timeout 120 "$wine" cmd /c exit </dev/null >/dev/null 2>&1 || true
for _ in 1 2 3; do
  timeout 120 "$wine" "$build/driver.exe" </dev/null 2>&1 | cat >"$build/output"
  # services that are about to go turn away who comes, mostly without a word
  if [ -s "$build/output" ] && ! grep -q '^wine client error' "$build/output"; then break; fi
  sleep 1
done
cat "$build/output"
grep -q '^[0-9]* passed, 0 failed' "$build/output"
