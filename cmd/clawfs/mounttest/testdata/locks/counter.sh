#!/usr/bin/env bash
# Counts by jq under a lock of flock(1) on the registry itself: FILE ROUNDS WAY.
set -eu
for ((i = 0; i < $2; i++)); do
  case $3 in
    command) flock "$1" bash -c 'jq -c ".hits += 1" "$0" >"$0.$$" && cat "$0.$$" >"$0"; rm -f "$0.$$"' "$1" ;;
    descriptor) (
      flock 9
      text=$(jq -c '.hits += 1' "$1")
      echo "$text" >"$1"
    ) 9<"$1" ;;
    itself) (
      flock 9
      text=$(jq -c '.hits += 1' <&9)
      echo "$text" >"$1"
    ) 9<>"$1" ;;
  esac
done
