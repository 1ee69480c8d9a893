#!/usr/bin/env bash
# Builds what is not up to date. npm runs it too (`prepare`), so that the package can be installed from its git repository.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -e dist/.built ] && [ -z "$(find src workers assembly data scripts/pack-windows.mjs package-lock.json tsconfig.json asconfig.json -newer dist/.built -print -quit)" ]; then
  echo "up to date"
else
  rm -rf dist/src dist/workers # what has no source any more is not to be found, either
  npm run build --silent
  touch dist/.built
fi
make -q -C wine-host/native >/dev/null 2>&1 && exit
for compiler in x86_64-w64-mingw32-gcc i686-w64-mingw32-gcc make; do
  command -v "$compiler" >/dev/null || {
    echo "The native bridge needs $compiler. Run this, then start again:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y gcc-mingw-w64-x86-64 gcc-mingw-w64-i686 make" >&2
    exit 1
  }
done
make --no-print-directory -C wine-host/native
