#!/usr/bin/env bash
# copies.sh FILE N: writes FILE N times, short and long in turn, and copies it with
# cp after each time. A copy must be whole: cp takes what copy_file_range gives it
# for the end.
set -eu
file=$1 backup=$1.$$.bak
long=$(printf 'x%.0s' {1..3000})
for ((i = 0; i < $2; i++)); do
  if ((i % 2)); then text="{\"i\": $i, \"long\": \"$long\"}"; else text="{\"i\": $i}"; fi
  printf '%s\n' "$text" >"$file.$$.tmp"
  mv "$file.$$.tmp" "$file"
  cp "$file" "$backup"
  jq -e .i "$backup" >/dev/null
done
