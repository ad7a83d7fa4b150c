#!/usr/bin/env bash
# data-store 4.0.3 and edit-json-file 1.8.1 (npm): two processes that each add entries of their own wipe
# all entries that were there before, and nobody is told.
#
# Setting: a file of 500 entries. Two processes open it by the library, set one new entry, save, and do
#   so again, a hundred times. Nothing is ever deleted.
# Expected: of two changes made at one time one may be lost. The 500 entries, which nobody touches, stay.
# What happens: the libraries write in place, so the file is empty or half written for a moment. A process that
#   opens it then is given an empty store, without an error, and the next save makes that of the file.
#   conf, the control, renames a whole file into place, and throws at content that is no JSON.
# Seen on 2026-11-30, Node 20.20.2 (the same in three of three runs):
#   data-store 4.0.3: 0 of 500 entries are left, 0 of 200 saves failed
#   edit-json-file 1.8.1: 0 of 500 entries are left, 0 of 200 saves failed
#   conf 15.1.0: 500 of 500 entries are left, 0 of 200 saves failed
# Matters: settings and tokens vanish all at once, though each program did no more than add one, and all
#   exit with 0. A lock among writers is not enough either: a reader that finds half a file and saves later does it, too.
# Documented: no, in neither README.
#
# Exit: 0 it still does so, 1 it does otherwise, 77 it can't be tried here.
set -euo pipefail
skip() { echo "skipped: $1"; exit 77; }
command -v npm >/dev/null || skip "npm is missing"
[ "$(node -p "process.versions.node.split('.')[0]")" -ge 20 ] || skip "it takes Node 20"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts \
  data-store@4.0.3 edit-json-file@1.8.1 conf@15.1.0 >/dev/null

# node add.mjs LIBRARY NAME: waits until both are ready, then opens the store, sets an entry, saves; a hundred times.
cat >add.mjs <<'END'
import fs from 'node:fs';
const [name, who] = process.argv.slice(2);
const { default: library } = await import(name);
fs.writeFileSync('ready-' + who, '');
while (!fs.existsSync('ready-a') || !fs.existsSync('ready-b')) ;
const add = {
  'data-store': key => { const s = new library('x', { path: 'state.json' }); s.set(key, 1); s.writeFile(); },
  'edit-json-file': key => { const s = library('state.json'); s.set(key, 1); s.save(); },
  conf: key => new library({ cwd: '.', configName: 'state', projectName: 'x' }).set(key, 1),
}[name];
let failed = 0;
for (let n = 0; n < 100; n++) try { add(who + n); } catch { failed++; }
console.log(failed);
END

# left LIBRARY: how many of the 500 entries are there after two processes have added theirs.
left() {
  node -e 'const old = {}; for (let n = 0; n < 500; n++) old["old" + n] = "a value of some length"; fs.writeFileSync("state.json", JSON.stringify(old))'
  rm -f ready-*
  node add.mjs "$1" a >failed-a &
  node add.mjs "$1" b >failed-b
  wait
  left=$(grep -oE '"old[0-9]+"' state.json | wc -l || true)
  echo "$1 $(node -p "require('./node_modules/$1/package.json').version"): $left of 500 entries are left, $(($(cat failed-a) + $(cat failed-b))) of 200 saves failed"
}
left data-store; first=$left
left edit-json-file; second=$left
left conf; control=$left
[ "$first" -eq 0 ] && [ "$second" -eq 0 ] && [ "$control" -eq 500 ]
