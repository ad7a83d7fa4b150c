#!/usr/bin/env bash
# registry-log-report.sh LOG: counts what the log tells of registries, a line a
# phrase, as monitoring greps for it.
log=$1
for phrase in 'Registry write committed' 'Registry write conflict' 'Registry write rejected' 'Registry overwrite' 'Registry recovered'; do
  printf '%s: %d\n' "$phrase" "$(grep -c "$phrase" "$log")"
done
