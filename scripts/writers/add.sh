#!/bin/sh
# add.sh FILE LIST ENTRY: appends the JSON value ENTRY to the list named LIST in
# FILE, as every second shell script does it: jq into a temporary file, mv over
# the old one. It takes no lock and knows of no other writer.
set -e
temporary=$1.$$.tmp
jq --arg list "$2" --argjson entry "$3" '.[$list] += [$entry]' "$1" >"$temporary"
mv "$temporary" "$1"
