#!/usr/bin/env bash
# `npm run test:all`: sets up everything and runs all tests, with `-- FILTER…` those of suites whose path has it.
# The last line is their sum: "N passed, N failed" (", N skipped").
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/prepare.sh --tests
printf '\n== tests\n'
status=0
timeout 3600 npm test --silent -- "$@" || status=$?
timeout 60 node dist/src/cli/main.js stop >/dev/null 2>&1 || true
exit "$status"
