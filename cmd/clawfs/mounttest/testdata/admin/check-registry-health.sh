#!/usr/bin/env bash
# check-registry-health.sh DIR: looks at every *.json below DIR and says of each
# whether it is empty, no JSON document, or a list with an id twice, and what
# temporary files were left. Exit 1 if anything is wrong.
set -u
dir=$1 problems=0 checked=0
problem() {
  echo "$1: ${2#"$dir"/}"
  problems=$((problems + 1))
}
while IFS= read -r -d '' file; do
  checked=$((checked + 1))
  if [ ! -s "$file" ]; then
    problem EMPTY "$file"
  elif ! jq -es 'length == 1' "$file" >/dev/null 2>&1; then
    problem INVALID "$file"
  elif ! jq -e '[.. | arrays | [.[] | objects | .id // .name // empty] | length == (unique | length)] | all' "$file" >/dev/null; then
    problem DUPLICATE "$file"
  fi
done < <(find "$dir" -name '*.json' -type f -print0)
while IFS= read -r -d '' file; do
  problem LEFTOVER "$file"
done < <(find "$dir" -name '*.tmp' -type f -print0)
echo "$checked checked, $problems problems"
[ "$problems" -eq 0 ]
