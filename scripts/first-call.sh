#!/usr/bin/env bash
# `npm run first-call`: from a clone on a bare Debian 12 with Node.js 20 to the first calls of Windows DLLs. Again is quick.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/prepare.sh
scripts/build-examples.sh
printf '\n== first calls\n'
exec node examples/first-call/run.mjs
