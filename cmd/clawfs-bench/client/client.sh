#!/usr/bin/env bash
# client.sh WORK --file F --count N --id ID --files R --first R: what a careful shell
# script does, flock around jq and mv, for scripts/bench. It keeps to the
# protocol of the Go client (main.go). Nothing it writes is synced.
set -euo pipefail

work=$1 file='' files=1 first=0 count=1 id=w
shift
while [ $# -ge 2 ]; do
  case $1 in
    --file) file=$2 ;;
    --files) files=$2 ;;
    --first) first=$2 ;;
    --count) count=$2 ;;
    --id) id=$2 ;;
  esac
  shift 2
done

# shellcheck disable=SC2016 # the inner shell and jq expand these
case $work in
  commit) filter='.revisions = ($n | tonumber)' ;;
  append) filter='.entries += [{id: "\($id)-\($n)", text: "an entry of ordinary length, as a registry of tools or models holds it"}]' ;;
esac
# shellcheck disable=SC2016
edit='jq --arg n "$2" --arg id "$3" "$4" "$1" >"$1.$$.tmp" && mv "$1.$$.tmp" "$1"'

# now sets REPLY to nanoseconds, cpu to what this shell and its children have used.
now() { REPLY=${EPOCHREALTIME/[.,]/}000; }
cpu() {
  local fields
  read -ra fields <"/proc/$$/stat" # utime, stime, cutime, cstime in ticks of 10 ms
  REPLY=$(((fields[13] + fields[14] + fields[15] + fields[16]) * 10000000))
}

echo ready
read -r _
took=()
cpu && used=$REPLY
now && begin=$REPLY
for ((n = 0; n < count; n++)); do
  now && since=$REPLY
  name=${file/\%d/$(((first + n) % files))}
  flock "$name.lock" sh -c "$edit" sh "$name" "$n" "$id" "$filter"
  now && took+=($((REPLY - since)))
done
now && spent=$((REPLY - begin))
cpu && used=$((REPLY - used))
list=$(IFS=,; printf '%s' "${took[*]}")
printf '{"ops":%d,"failed":0,"nanos":%d,"cpu":%d,"series":{"%s":[%s]}}\n' "$count" "$spent" "$used" "$work" "$list"
