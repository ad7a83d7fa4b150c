#!/usr/bin/env bash
# copies.sh FILE N: writes FILE N times, short and long in turn, and copies it with
# cp after each time. A copy must be whole: cp takes what copy_file_range gives it
# for the end. Where another one has replaced the file since cp looked at it, cp says
# so and copies nothing, in a bare directory as well: it is asked once more.
set -eu
file=$1 backup=$1.$$.bak
long=$(printf 'x%.0s' {1..3000})
for ((i = 0; i < $2; i++)); do
  if ((i % 2)); then text="{\"i\": $i, \"long\": \"$long\"}"; else text="{\"i\": $i}"; fi
  printf '%s\n' "$text" >"$file.$$.tmp"
  mv "$file.$$.tmp" "$file"
  until said=$(LC_ALL=C cp "$file" "$backup" 2>&1); do
    case $said in *'was replaced while being copied'*) ;; *) echo "$said" >&2; exit 1 ;; esac
  done
  jq -e .i "$backup" >/dev/null
done
