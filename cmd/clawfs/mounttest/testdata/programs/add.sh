#!/usr/bin/env bash
# add.sh HOW FILE ID: adds {"id": ID} to the list "models" of FILE, as scripts do
# it. HOW says how. ELSEWHERE is a directory in another file system.
set -e -o pipefail
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/gate.sh"
how=$1 file=$2 id=$3
filter='.models += [{id: $id, by: $how}]'
temporary=
trap '[ -z "$temporary" ] || rm -f "$temporary"' EXIT
change() { jq --arg id "$id" --arg how "$how" "$filter" "$@"; }

gate start
case $how in
  jq-mv) # every second shell script
    change "$file" >"$file.$$.tmp"
    gate read
    mv "$file.$$.tmp" "$file"
    ;;
  jq-mv-f-input) # the registry as standard input, a hidden temporary file
    hidden=$(dirname "$file")/.$(basename "$file").$BASHPID
    change <"$file" >"$hidden"
    gate read
    mv -f "$hidden" "$file"
    ;;
  sed)
    sed -i -e "1e bash '$here/gate.sh' read" -e "s/\"models\": *\[/&{\"id\": \"$id\"},/" "$file"
    ;;
  perl)
    # shellcheck disable=SC2016
    ID=$id HERE=$here perl -i -pe \
      'if ($. == 1) { system("bash", "$ENV{HERE}/gate.sh", "read") } s/"models": *\[/$&\{"id": "$ENV{ID}"},/' "$file"
    ;;
  # From here on the program that writes has not read: it is a relative of the
  # one that has.
  variable)
    new=$(change "$file")
    gate read
    echo "$new" >"$file"
    ;;
  cat-variable)
    old=$(cat "$file")
    gate read
    change <<<"$old" >"$file"
    ;;
  sponge)
    { change "$file"; gate read; } | sponge "$file"
    ;;
  cat-jq-tee)
    new=$(cat "$file" | change)
    gate read
    tee "$file" <<<"$new" >/dev/null
    ;;
  mktemp-mv) # a temporary file in another file system
    temporary=$(mktemp "${ELSEWHERE:?}/XXXXXX")
    change "$file" >"$temporary"
    gate read
    mv "$temporary" "$file"
    ;;
  mktemp-cp)
    temporary=$(mktemp "${ELSEWHERE:?}/XXXXXX")
    change "$file" >"$temporary"
    gate read
    cp "$temporary" "$file"
    ;;
  mktemp-cat)
    temporary=$(mktemp "${ELSEWHERE:?}/XXXXXX")
    change "$file" >"$temporary"
    gate read
    cat "$temporary" >"$file"
    ;;
  install)
    change "$file" >"$file.$$.tmp"
    gate read
    install -m 644 "$file.$$.tmp" "$file"
    rm "$file.$$.tmp"
    ;;
  dd)
    new=$(change "$file")
    gate read
    dd of="$file" status=none <<<"$new"
    ;;
  python-filter)
    new=$("${PYTHON:-python3}" -c 'import json, sys; d = json.load(open(sys.argv[1])); d["models"].append({"id": sys.argv[2]}); print(json.dumps(d))' "$file" "$id")
    gate read
    printf '%s\n' "$new" >"$file"
    ;;
  *) echo "unknown way: $how" >&2; exit 2 ;;
esac
