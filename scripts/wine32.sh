#!/usr/bin/env bash
# Unpacks a private Wine that runs both 64-bit and 32-bit Windows programs, for sessions with arch win32.
#   wine32.sh FOLDER        (about 200 MB of packages, half a minute, 1.2 GB of disk; idempotent; needs no root)
# Why: on a Debian machine whose 64-bit libraries come from the security suite, `apt-get install wine32:i386`
# can be unsolvable; a private folder changes no installed package. FOLDER/ready is written last; the paths in it are
# absolute, so the folder cannot be moved. Debian only (apt, dpkg).
set -euo pipefail
R=$(realpath -m "${1:?usage: wine32.sh FOLDER}")
A=$R.apt
for program in apt-get dpkg flock; do
  command -v "$program" >/dev/null || { echo "wine32.sh: $program is missing: this works on Debian only" >&2; exit 1; }
done
# one at a time: who started an earlier one may have been killed, and it goes on
mkdir -p "$R"
exec 9<"$(dirname "$R")"
flock 9
[ -e "$R/ready" ] && exit 0
echo "step 0/5 package lists"
rm -rf "$R"
mkdir -p "$R" "$A/lists/partial" "$A/cache" "$A/empty" "$A/debs"
: >"$A/status"
# the machine's own mirror and release, main suite alone, so that both architectures agree on versions
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
  awk '$3 == "main" && $2 !~ /-/ && !found { print $1, $2; found = 1 }')
[ -n "$mirror" ] || { echo "wine32.sh: no Debian main suite in this machine's apt sources" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror main" >"$A/main.list"
cat >"$A/apt.conf" <<C
Dir::Etc::sourcelist "$A/main.list"; Dir::Etc::sourceparts "$A/empty"; Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "$A/empty";
Dir::State "$A"; Dir::State::status "$A/status"; Dir::State::lists "$A/lists"; Dir::Cache "$A/cache";
APT::Architecture "amd64"; #clear APT::Architectures;
APT::Architectures { "amd64"; "i386"; };
APT::Sandbox::User "root"; Acquire::Languages "none"; #clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
C
export APT_CONFIG="$A/apt.conf"
timeout 180 apt-get update -qq </dev/null
echo "step 1/5 packages"
cd "$A/debs"
timeout 600 apt-get download -q wine64:amd64 libwine:amd64 wine32:i386 libwine:i386 libz-mingw-w64:all libc6:i386 libgcc-s1:i386 \
  libfreetype6:i386 libpng16-16:i386 libbrotli1:i386 zlib1g:i386 libfontconfig1:i386 libexpat1:i386 patchelf:amd64 </dev/null
unset APT_CONFIG
echo "step 2/5 unpacking"
for f in *.deb; do dpkg -x "$f" "$R"; done # into a folder of its own: unpacking onto / would replace the /lib link
echo "step 3/5 libraries"
for a in i386 x86_64; do # what libwine's own install step does: mark zlib1.dll as a builtin
  m=$a
  [ "$a" = i386 ] && m=i686
  for l in i386-linux-gnu x86_64-linux-gnu; do
    o=$R/usr/lib/$l/wine/$a-windows
    mkdir -p "$o"
    in=$R/usr/$m-w64-mingw32/lib/zlib1.dll
    { head -c 64 "$in"; printf 'Wine builtin DLL'; head -c 16 /dev/zero; tail -c +97 "$in"; } >"$o/zlib1.dll"
  done
done
# Debian's own script names /usr/lib/wine, and takes a path with a space for two
printf '#!/bin/sh -e\nexec "$(dirname "$0")/wineserver64" -p0 "$@"\n' >"$R/usr/lib/wine/wineserver"
"$R/usr/bin/patchelf" --set-interpreter "$R/lib/i386-linux-gnu/ld-linux.so.2" --force-rpath \
  --set-rpath "$R/lib/i386-linux-gnu:$R/usr/lib/i386-linux-gnu" "$R/usr/lib/wine/wine"
echo "step 4/5 trial"
WINELOADER=$R/usr/lib/wine/wine timeout 30 "$R/usr/lib/wine/wine" --version </dev/null
rm -rf "$A"
touch "$R/ready"
echo "step 5/5 done"
