#!/usr/bin/env bash
# The formatters and linters of the C and the Python here, which `scripts/prepare.sh --tests` installs.
#   lint-native.sh          complains
#   lint-native.sh --fix    formats
set -euo pipefail
cd "$(dirname "$0")/.."
ruff=.venv/bin/ruff
for tool in clang-format cppcheck "$ruff"; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: scripts/prepare.sh --tests installs it" >&2; exit 1; }
done
# what is made is written by its generator; a header of a vendor's is as it came
mapfile -t sources < <(git ls-files '*.c' '*.h' | grep -v -e '^wine-host/native/wire\.h$' -e '^test/ctypes/header/vendor\.h$')
if [ "${1:-}" = --fix ]; then
  clang-format -i "${sources[@]}"
  "$ruff" check --quiet --fix
  exec "$ruff" format --quiet
fi
clang-format --dry-run --Werror "${sources[@]}"
for platform in "win64 -D_WIN64 -D__x86_64__" "win32A -D__i386__"; do
  # shellcheck disable=SC2086
  cppcheck --quiet --error-exitcode=1 --template=gcc --std=c11 --enable=warning,performance,portability \
    --suppressions-list=.cppcheck -D_WIN32 --platform=$platform wine-host/native
done
"$ruff" check --quiet
"$ruff" format --quiet --check
echo "C and Python are formatted, and nothing in them is suspicious"
