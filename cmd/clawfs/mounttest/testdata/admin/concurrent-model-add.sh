#!/usr/bin/env bash
# concurrent-model-add.sh DIR N COMMAND…: has N commands add a model each to
# DIR/models.json at the same time, and counts. A command is run as
# `COMMAND… FILE LIST ENTRY`: any command line that writes JSON. Exit 1 if a model
# is not there, or a command has failed.
set -u
dir=$1 n=$2
shift 2
file=$dir/models.json
[ -e "$file" ] || echo '{"version":42,"models":[]}' >"$file"
jobs=() failed=0
for ((i = 1; i <= n; i++)); do
  "$@" "$file" models "{\"id\":\"model-$i\"}" &
  jobs+=($!)
done
for job in "${jobs[@]}"; do
  wait "$job" || failed=$((failed + 1))
done
there=$(jq '[.models[].id | select(startswith("model-"))] | unique | length' "$file" 2>/dev/null) || there=0
echo "$n started, $failed failed, $there there"
[ "$failed" -eq 0 ] && [ "$there" -eq "$n" ]
