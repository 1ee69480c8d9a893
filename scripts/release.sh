#!/usr/bin/env bash
# `npm run release VERSION`: makes the commit, the tag and the package of a version, and stops before anything leaves this machine.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
fail() { echo "release: $*" >&2; exit 1; }

version=${1:?usage: npm run release VERSION}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "\"$version\" is no version: write 1.2.3"
[ -z "$(git status --porcelain)" ] || fail "there are changes that are not committed"
[ -z "$(git tag --list "v$version")" ] || fail "v$version is there already"
heading="## $version (not yet released)"
grep -qxF "$heading" CHANGELOG.md || fail "CHANGELOG.md has no line \"$heading\""

trap 'git checkout --quiet -- CHANGELOG.md package.json package-lock.json' ERR
sed -i "s/^$heading\$/## $version ($(date +%F))/" CHANGELOG.md
npm version "$version" --no-git-tag-version --allow-same-version >/dev/null
# the bridge knows its version
make --no-print-directory -B -C wine-host/native
scripts/build.sh
npm run lint
npm run typecheck
npm test --silent -- "${RELEASE_TESTS:-test/}"
trap - ERR
git commit --quiet --all --message "Version $version"
git tag --annotate "v$version" --message "zugbruecke $version"
npm pack --silent
cat <<SAY
The commit, the tag v$version and zugbruecke-$version.tgz are made. What is left:
  git push --follow-tags
  npm publish zugbruecke-$version.tgz
SAY
