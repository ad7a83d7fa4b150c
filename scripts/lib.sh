# Functions that the scripts here share; sourced by bash, not run.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE [HINT]: one sentence, a hint where it helps, exit 1.
die() {
  say "error: $1"
  [ $# -lt 2 ] || say "hint: $2"
  exit 1
}

# need PROGRAM:PACKAGE …: makes sure that the programs are there. Missing
# packages are installed with apt-get by root (or sudo without a password); it
# says what it does. Anybody else is told what to type.
need() {
  local pair missing=() packages=() as=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 && continue
    missing+=("${pair%%:*}")
    packages+=("${pair#*:}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || die "missing programs: ${missing[*]}" "sudo apt-get install ${packages[*]}"
    as=(sudo -n)
  fi
  command -v apt-get >/dev/null 2>&1 || die "missing programs: ${missing[*]}" "install them with this system's package manager"
  say "installing ${packages[*]} with apt-get (missing: ${missing[*]})"
  { "${as[@]}" apt-get -qq update && "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "${packages[@]}"; } >/dev/null ||
    die "apt-get could not install ${packages[*]}"
}

# need_go: the Go toolchain that go.mod asks for. An older go fetches it itself.
need_go() {
  command -v go >/dev/null 2>&1 || PATH=$PATH:/usr/local/go/bin
  command -v go >/dev/null 2>&1 || die "missing program: go" "see https://go.dev/dl for Go $(sed -n 's/^go //p' "$top/go.mod") or newer"
}

# unmount_below DIR: detaches every mount below DIR, the innermost first.
unmount_below() {
  local dir
  while read -r dir; do
    umount -l -- "$dir" 2>/dev/null || fusermount3 -uz -- "$dir" 2>/dev/null || say "could not unmount $dir"
  done < <(mounts_below "$1" | sort -r)
}

# mounts_below DIR: the mount points below DIR (itself included), one a line.
mounts_below() {
  awk -v dir="$1" '{
    at = $5
    while (match(at, /\\[0-7][0-7][0-7]/)) { # mountinfo writes a blank as \040
      code = substr(at, RSTART + 1, 3)
      at = substr(at, 1, RSTART - 1) sprintf("%c", substr(code, 1, 1) * 64 + substr(code, 2, 1) * 8 + substr(code, 3, 1)) substr(at, RSTART + 4)
    }
    if (at == dir || index(at, dir "/") == 1) print at
  }' /proc/self/mountinfo
}
