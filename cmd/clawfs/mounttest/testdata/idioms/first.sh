#!/usr/bin/env bash
# first.sh HOW FILE ID: adds {"id": ID} to the list "models" of FILE, as scripts do
# it where there may be no file yet, or no directory. HOW says how.
set -e -o pipefail
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/../programs/gate.sh"
how=$1 file=$2 id=$3
add='.models += [{id: $id, by: $how}]'
change() { jq --arg id "$id" --arg how "$how" "$add" "$@"; }

gate start
case $how in
  test-jq-mv)
    if [ -f "$file" ]; then new=$(change "$file"); else new=$(change -n); fi
    gate read
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$new" >"$file.$$.tmp"
    mv "$file.$$.tmp" "$file"
    ;;
  cat-or-default)
    old=$(cat "$file" 2>/dev/null || echo '{"version": 1}')
    gate read
    mkdir -p "$(dirname "$file")"
    change <<<"$old" >"$file"
    ;;
  test-tee)
    [ -e "$file" ] && new=$(change "$file") || new=$(change -n)
    gate read
    mkdir -p "$(dirname "$file")"
    tee "$file" <<<"$new" >/dev/null
    ;;
  default-then-edit) # two writes, the second by a program of its own
    there=true
    [ -s "$file" ] || there=
    gate read
    mkdir -p "$(dirname "$file")"
    [ -n "$there" ] || echo '{"version": 1, "models": []}' >"$file"
    change "$file" >"$file.$$.tmp"
    mv "$file.$$.tmp" "$file"
    ;;
  *) echo "unknown way: $how" >&2; exit 2 ;;
esac
