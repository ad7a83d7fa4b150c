#!/usr/bin/env bash
# locked.sh FILE N: changes FILE N times, each time with a lock on FILE itself, taken
# in one of three ways, and makes sure that nobody else has it meanwhile.
set -eu
export file=$1
change() {
  mkdir "$file.held.d" || { echo "two hold the lock at once" >&2; exit 9; }
  text=$(jq -c '.n += 1 | .long = "x" * (.n % 7 * 100)' "$file")
  printf '%s\n' "$text" >"$file"
  rmdir "$file.held.d"
}
export -f change
for ((i = 0; i < $2; i++)); do
  case $((i % 3)) in
  0) flock "$file" bash -euc change ;;
  1) (flock 9 && change) 9<>"$file" ;;
  2) (flock 9 && change) 9>>"$file" ;;
  esac
done
