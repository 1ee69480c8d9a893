#!/usr/bin/env bash
# Builds what is not up to date. npm runs it too (`prepare`), so that the package can be installed from its git repository.
#   scripts/build.sh             where there is no mingw, without the native bridge
#   scripts/build.sh --bridge    the bridge is a must
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -e dist/.built ] && [ -z "$(find src workers assembly package-lock.json tsconfig.json asconfig.json -newer dist/.built -print -quit)" ]; then
  echo "up to date"
else
  npm run build --silent
  touch dist/.built
fi
make --no-print-directory -C wine-host/native || {
  [ "${1:-}" != --bridge ] || exit 1
  echo "The native bridge could not be built; sessions do its work in Python, slower."
}
