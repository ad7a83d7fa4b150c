#!/usr/bin/env bash
# jobs.sh HOW FILE N: one script that adds N entries from N jobs at once: HOW is
# background, xargs or make.
export file=$2
add() {
  jq --arg id "job-$1" '.models += [{id: $id}]' "$file" >"$file.$1.tmp"
  sleep 0.2
  mv "$file.$1.tmp" "$file"
}
export -f add
case $1 in
  background)
    for ((i = 0; i < $3; i++)); do add "$i" & done
    wait
    ;;
  xargs) seq 0 $(($3 - 1)) | xargs -P "$3" -I{} bash -c 'add {}' ;;
  make)
    make -s -j "$3" SHELL=bash -f - <<END
jobs = \$(shell seq 0 $(($3 - 1)))
all: \$(jobs)
\$(jobs):; add \$@
END
    ;;
esac
