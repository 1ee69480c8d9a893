#!/usr/bin/env bash
# Brings everything that a clone of this repository needs, from a bare Debian 12 with Node.js 20. Does only what is missing.
#   scripts/prepare.sh           compiler, packages of npm, build, Wine and Windows Python: enough to call a DLL
#   scripts/prepare.sh --tests   that, and what the tests need beside it
#   scripts/prepare.sh --tools   the same without Wine's prefixes and Windows Python, for what needs no Wine: lint, types, the unit tests
set -euo pipefail
cd "$(dirname "$0")/.."

title() { printf '\n== %s\n' "$*"; }

node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
  { echo "Node.js $(node --version) is too old: 20 or later is needed" >&2; exit 1; }

title "system packages"
missing=()
need() { # PACKAGE, and a command (or file) that shows it is there
  command -v "$2" >/dev/null 2>&1 || [ -e "$2" ] || missing+=("$1")
}
need gcc-mingw-w64-x86-64 x86_64-w64-mingw32-gcc
need gcc-mingw-w64-i686 i686-w64-mingw32-gcc
need make make
need wine64 /usr/lib/wine/wine64
need wine wine
if [ "${1:-}" != "" ]; then
  need flatbuffers-compiler flatc
  need maven mvn
  need git git
  need clang-format clang-format
  need cppcheck cppcheck
  need bubblewrap bwrap
  need redis-server redis-server
  need python3 python3
  need unzip unzip
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
fi
if [ ${#missing[@]} -gt 0 ]; then
  root=()
  if [ "$(id -u)" != 0 ]; then
    root=(sudo -n)
    "${root[@]}" true 2>/dev/null || {
      echo "Installing needs root. Run this, then start again:" >&2
      echo "  sudo apt-get update && sudo apt-get install -y ${missing[*]}" >&2
      exit 1
    }
  fi
  echo "installing ${missing[*]}"
  "${root[@]}" timeout 300 apt-get update -q </dev/null
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive timeout 900 apt-get install -y -q "${missing[@]}" </dev/null
else
  echo "all there"
fi

title "npm packages"
if [ node_modules/.package-lock.json -nt package-lock.json ]; then
  echo "all there"
else
  # `npm ci` refuses a lock without the packages of other platforms, which not every mirror has; what it would install is the same
  npm ci --no-audit --no-fund --silent || npm install --no-save --no-audit --no-fund
fi

if [ "${1:-}" != "" ] && ! [ .venv/.installed -nt test/python/requirements.txt ]; then
  title "Python packages for tests and lint"
  python3 -m venv .venv
  timeout 300 .venv/bin/python -m pip install -q --disable-pip-version-check -r test/python/requirements.txt
  touch .venv/.installed
fi

title "build"
scripts/build.sh

[ "${1:-}" != --tools ] || exit 0

title "Wine and Windows Python"
timeout 1500 node dist/src/cli/main.js setup
if [ "${1:-}" = --tests ]; then
  title "the same for 32-bit sessions"
  timeout 1500 node dist/src/cli/main.js setup --arch win32 || echo "Not set up: the tests of 32-bit sessions are skipped." >&2
fi
