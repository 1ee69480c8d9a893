#!/usr/bin/env bash
# Gets the two DLLs of the example, libsndfile for 32 and for 64 bits, out of a Python package that holds them (2 MB), if they are not there.
set -euo pipefail
cd "$(dirname "$0")/.."
python=../.venv/bin/python
[ -x "$python" ] || python=python3
mkdir -p build
for pair in win_amd64:64 win32:32; do
  dll=libsndfile_${pair#*:}bit.dll
  [ ! -e "build/$dll" ] || continue
  # aside first: two may be at it at once
  aside=$(mktemp -d "build/aside.XXXXXX")
  timeout 120 "$python" -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --platform "${pair%:*}" -d "$aside" \
    soundfile==0.12.1
  "$python" -m zipfile -e "$aside"/soundfile-*.whl "$aside"
  mv "$aside/_soundfile_data/$dll" "build/$dll"
  rm -r "$aside"
done
