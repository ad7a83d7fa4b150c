#!/usr/bin/env bash
# chokidar 3.6.0, 4.0.3 and 5.0.0 (npm) go deaf for good when a watched file is saved twice in a row.
#
# Setting: watch('state.json'), a single file, on a file system that gives the inode number of a
#   removed file to the next new one, as ext4 does. Saves are atomic: write a temporary file, rename.
# Expected: each later save is an event. One atomic save alone is survived, and watched on.
# What happens: the first save frees the number of the file that is watched, the second one gets it.
#   chokidar looks once for both, sees the number that it knows, and keeps its inotify watch, which
#   died with the old file. No event comes any more, and no error. 6.0.0 watches the directory, and
#   hears all.
# Seen on 2026-11-30, Node 20.20.2, Linux 6.18, ext4, in two of two runs:
#   chokidar 3.6.0: one save: 3 of 3 later saves heard; two saves: 0 of 3
#   chokidar 4.0.3: one save: 3 of 3 later saves heard; two saves: 0 of 3
#   chokidar 5.0.0: one save: 3 of 3 later saves heard; two saves: 0 of 3
#   By hand, not by this script: 6.0.0 on Node 24.22.3 hears all, three of three runs; on tmpfs, which
#   gives no number again at once, 3.6.0 to 5.0.0 hear all.
# Matters: a service that reloads its JSON state when it changes (and does so by chokidar, as most of
#   Node's do) goes on with the old state until it is restarted. Two programs that save at one time are enough.
# Documented: no. Its README says that atomic writes are supported (option `atomic`).
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
  c3@npm:chokidar@3.6.0 c4@npm:chokidar@4.0.3 c5@npm:chokidar@5.0.0 >/dev/null

cat >try.mjs <<'END'
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
const file = fs.realpathSync('.') + '/state.json';
const save = n => { fs.writeFileSync('new', `{"n":${n}}`); fs.renameSync('new', file); };
const inode = () => fs.statSync(file).ino;

// heard: how many of three later saves are heard, after as many saves in a row as are wanted.
// null: the last of these has another inode number than the file that is watched.
async function heard(watch, saves) {
  fs.rmSync(file, { force: true });
  save(0);
  const first = inode();
  let events = 0;
  const watcher = watch(file, { ignoreInitial: true }).on('all', () => events++);
  await new Promise(ready => watcher.on('ready', ready));
  await sleep(300);
  for (let n = 1; n <= saves; n++) save(n);
  const again = inode() === first;
  await sleep(1000);
  let later = 0;
  for (let n = 10; n < 13; n++) { events = 0; save(n); await sleep(500); later += events > 0; }
  await watcher.close();
  return saves === 1 || again ? later : null;
}

let as = true;
for (const name of ['c3', 'c4', 'c5']) {
  const library = await import(name), watch = library.watch ?? library.default.watch;
  const { version } = JSON.parse(fs.readFileSync(`node_modules/${name}/package.json`));
  const one = await heard(watch, 1);
  let two = null;
  for (let n = 0; n < 10 && two === null; n++) two = await heard(watch, 2);
  if (two === null) { console.log('skipped: no inode number is used again at once below ' + process.cwd()); process.exit(77); }
  console.log(`chokidar ${version}: one save: ${one} of 3 later saves heard; two saves: ${two} of 3`);
  as &&= one === 3 && two === 0;
}
process.exit(as ? 0 : 1);
END
node try.mjs
