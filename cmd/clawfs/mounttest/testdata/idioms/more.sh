#!/usr/bin/env bash
# more.sh HOW FILE ID: adds {"id": ID} to the list "models" of FILE: programs/add.sh
# says how, these are further ways.
set -e -o pipefail
programs=$(dirname "${BASH_SOURCE[0]}")/../programs
. "$programs/gate.sh"
how=$1 file=$2 id=$3
elsewhere=$(mktemp -d "${ELSEWHERE:?}/XXXXXX")
trap 'rm -rf "$elsewhere"' EXIT
change() { jq --arg id "$id" '.models += [{id: $id}]' "$@"; }
# It asks whether to write to a file that has changed meanwhile: y.
vim_with() {
  vim -Nes -u NONE -i NONE -c "set noswapfile backupdir=$elsewhere backupcopy=$1" \
    -c "%s/\"models\": *\[/&{\"id\": \"$id\"},/" -c "call system(\"bash '$programs/gate.sh' read\")" -c 'w!' -c 'q!' "$file" <<<y >/dev/null
}

gate start
case $how in
  subshell)
    (new=$(change "$file"); gate read; (printf '%s\n' "$new" >"$file"))
    ;;
  pipe-into-cat) { change "$file" >"$elsewhere/t"; gate read; cat "$elsewhere/t"; } | cat >"$elsewhere/u" && cat "$elsewhere/u" >"$file" ;;
  descriptor)
    new=$(change "$file")
    gate read
    exec 4>"$file"
    printf '%s' "${new:0:20}" >&4
    printf '%s\n' "${new:20}" >&4
    exec 4>&-
    ;;
  cp-backup) # edits a copy, and copies it back
    cp "$file" "$elsewhere/t"
    change "$elsewhere/t" >"$elsewhere/u"
    gate read
    cp "$elsewhere/u" "$file"
    ;;
  pee)
    new=$(change "$file")
    gate read
    pee "cat >'$file'" <<<"$new"
    ;;
  ln)
    change "$file" >"$file.$$.tmp"
    gate read
    ln -f "$file.$$.tmp" "$file"
    rm -f "$file.$$.tmp"
    ;;
  rsync | rsync-inplace)
    change "$file" >"$elsewhere/$(basename "$file")"
    gate read
    if [ "$how" = rsync ]; then rsync -I "$elsewhere/$(basename "$file")" "$file"; else rsync -I --inplace "$elsewhere/$(basename "$file")" "$file"; fi
    ;;
  git) # the change comes from a commit
    export GIT_DIR=$elsewhere/git GIT_WORK_TREE GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
    GIT_WORK_TREE=$(dirname "$file")
    cd "$GIT_WORK_TREE"
    name=$(basename "$file")
    git init -q "$GIT_WORK_TREE"
    git add "$name"
    git commit -q -m seen
    git branch -q seen
    blob=$(git show "HEAD:$name" | change | git hash-object -w --stdin)
    git update-index --cacheinfo "100644,$blob,$name"
    gate read
    git checkout-index -f "$name"
    ;;
  ed)
    printf '%s\n' "/\"models\"/s/\[/[{\"id\": \"$id\"},/" "!bash '$programs/gate.sh' read" w q | ed -s "$file" >/dev/null
    ;;
  vim-yes) vim_with yes ;;
  vim-auto) vim_with auto ;;
  vim-no) vim_with no ;; # moves the file aside and writes a new one
  mv-aside)
    new=$(change "$file")
    gate read
    mv "$file" "$file.$$.tmp" 2>/dev/null || true # somebody else has, just now
    echo "$new" >"$file"
    rm -f "$file.$$.tmp"
    ;;
  mv-backup)
    change "$file" >"$file.$$.tmp"
    gate read
    mv --backup=simple --suffix=".$$.tmp~" "$file.$$.tmp" "$file"
    rm -f "$file.$$.tmp~"
    ;;
  awk)
    new=$(awk -v id="$id" '{ print } /"models": *\[/ { print "{\"id\": \"" id "\"}," }' "$file")
    gate read
    awk -v text="$new" 'BEGIN { print text }' >"$file"
    ;;
  xargs) seq 1 | xargs -P 2 -I{} bash "$programs/add.sh" variable "$file" "$id" ;;
  parallel) parallel --will-cite bash "$programs/add.sh" jq-mv "$file" ::: "$id" ;;
  make) printf 'all:; @new=$$(jq --arg id "%s" %s "%s"); bash "%s/gate.sh" read; echo "$$new" >"%s"\n' "$id" "'.models += [{id: \$\$id}]'" "$file" "$programs" "$file" | make -s -j 4 -f - ;;
  background)
    { new=$(change "$file"); gate read; echo "$new" >"$file"; } &
    wait $!
    ;;
  *) echo "unknown way: $how" >&2; exit 2 ;;
esac
