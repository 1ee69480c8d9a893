#!/usr/bin/env bash
# Builds the DLL of the examples from its C source, if it is not built.
set -euo pipefail
cd "$(dirname "$0")/../examples"
mkdir -p build
if [ ! build/demo.dll -nt demo.c ]; then
  # aside first: two may build at once
  x86_64-w64-mingw32-gcc -shared -O2 -Wall -Wextra -o "build/demo.$$.dll" demo.c
  mv "build/demo.$$.dll" build/demo.dll
fi
