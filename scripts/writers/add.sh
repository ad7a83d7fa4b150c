#!/bin/sh
# add.sh FILE LIST ENTRY: appends the JSON value ENTRY to the list named LIST in
# FILE, as every second shell script does it: jq into a temporary file, mv over
# the old one. It takes no lock and knows of no other writer. With FSYNC=1 it has
# what it writes on disk before it ends.
set -e
temporary=$1.$$.tmp
jq --arg list "$2" --argjson entry "$3" '.[$list] += [$entry]' "$1" >"$temporary"
[ "$FSYNC" != 1 ] || sync "$temporary"
mv "$temporary" "$1"
[ "$FSYNC" != 1 ] || sync "$(dirname "$1")"
