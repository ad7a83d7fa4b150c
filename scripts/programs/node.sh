# Node's libraries that keep state.
# shellcheck shell=bash disable=SC2154,SC2034

# library NAME FILE FILTER: a program of this kind. FILTER makes of FILE the object or list of
# keys.
library() {
  program "$1" npm:
  local f=${1//[-.]/_}
  eval "${f}_version() { jq -r .version \"\$CACHE/node_modules/$1/package.json\"; }
    ${f}_alone() {
      for step in 'add a' 'add b' 'remove a' 'add c' 'add a' 'remove b'; do node \"\$CACHE/state.mjs\" $1 \$step; echo \"\$?\"; done
    }
    ${f}_add() { node \"\$CACHE/state.mjs\" $1 add \"\$1\"; }
    ${f}_count() { jq -r '$3' $2 | grep -cE '^k([1-9]|10)\$'; }"
}
library lowdb db.json '.items | keys[]'
library steno steno.json 'keys[]'
notes[lowdb]='loses: all processes write one temporary file (`.db.json.tmp`), of which the last bytes count, or which is gone: one writer at a time, in a bare directory, too'
notes[steno]='loses: as lowdb, which is made with it'
library conf conf.json 'keys[]'
library configstore configstore.json 'keys[]'
library nedb nedb.db '._id'
nedb_version() { jq -r '"\(.name) \(.version)"' "$CACHE/node_modules/@seald-io/nedb/package.json"; }
notes[nedb]='it appends to a file of lines that is no registry (`*.db`): a plain file. Each start renames the same `nedb.db~`, and some of ten fail: one writer at a time'
library node-json-db node-json-db.json 'keys[]'
library write-file-atomic wfa.json 'keys[]'
library write-json-file wjf.json 'keys[]'
library atomically atomically.json 'keys[]'
library proper-lockfile locked.json 'keys[]'
notes[proper-lockfile]='its lock is kept on the mount, too'
library keyv-file keyv.json '.cache[]?[0]'
masks[keyv-file]='s/"lastExpire":[0-9]+/TIME/'
library jsonfile jsonfile.json 'keys[]'
library fs-extra fs-extra.json 'keys[]'
library jsonc-parser settings.json 'keys[]'
library comment-json openclaw.json 'keys[]'
comment_json_count() { sed '/^ *\/\//d' openclaw.json | jq -r 'keys[]' | grep -c '^k'; }
notes[comment-json]='comments need JSON5: `openclaw.json`, or what `--json5` names'
library data-store data-store.json 'keys[]'
library flat-cache flat.json '.[].key?'
flat_cache_count() { grep -oE 'k(10|[1-9])"' flat.json | sort -u | wc -l; }
masks[flat-cache]='s/[0-9]{13}/TIME/g'
library nconf nconf.json 'keys[]'
library node-localstorage storage .
node_localstorage_count() { find storage -name 'k*.json' | wc -l; }
notes[node-localstorage]='a file for each entry'
library node-persist persist .
node_persist_count() { grep -lE '"key":"k[0-9]+"' persist/* | wc -l; }
notes[node-persist]='a file for each entry'
library edit-json-file edit.json 'keys[]'
library simple-json-db simple.json 'keys[]'
library stormdb storm.json 'keys[]'
