#!/usr/bin/env bash
# Builds the site (site/.vitepress/dist, static files) with what site/package.json names; the package itself must be built.
#   scripts/site.sh          that
#   scripts/site.sh --test   and tests it in Debian's Chromium, which it installs where it is missing
# SITE_BASE is the path below which it will be served ("/" unless given).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh
[ site/node_modules/.package-lock.json -nt site/package-lock.json ] ||
  (cd site && { npm ci --no-audit --no-fund --silent || npm install --no-save --no-audit --no-fund; })
node site/build.mjs
[ "${1:-}" = --test ] || exit 0
if [ ! -x /usr/bin/chromium ]; then
  [ "$(id -u)" = 0 ] || { echo "The site is tested in Chromium. Run this, then start again: sudo apt-get install chromium" >&2; exit 1; }
  timeout 300 apt-get update -q </dev/null
  DEBIAN_FRONTEND=noninteractive timeout 900 apt-get install -y -q chromium </dev/null
fi
timeout 300 node --import tsx site/site.test.ts
