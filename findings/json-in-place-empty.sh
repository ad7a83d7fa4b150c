#!/usr/bin/env bash
# json 11.0.0 (npm, the command `json`): `json -I` puts an empty file in place, and fills it afterwards.
#
# Setting: json -I -f state.json -e 'this.n = 1', on a healthy disk, alone.
# Expected: it writes a temporary file and renames it, so that others find the old or the new document.
# What happens: the rename comes as soon as the temporary file is open, before a byte is written. The
#   live file is empty at first, and is then written in place: others read an empty or half a
#   document. Where the command is killed just then, the file stays empty, and the old content is gone.
# Seen on 2026-11-30, Node 20.20.2, in two of two runs:
#   size of the file that is renamed onto state.json: 0 bytes
#   killed after the rename: state.json has 0 bytes
#   20 calls beside a reader that reads all the time: empty or half a document in 1046 of its readings
# Matters: it is a common way to change package.json and other state from a shell script. A program that
#   takes an empty file for "no state yet" begins anew, and saves that.
# Documented: no. Its README has "in-place file editing" and no more.
#
# Exit: 0 it still does so, 1 it does otherwise, 77 it can't be tried here.
set -euo pipefail
command -v npm >/dev/null || { echo "skipped: npm is missing"; exit 77; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm install --silent --no-audit --no-fund --ignore-scripts json@11.0.0 >/dev/null
json=node_modules/json/lib/json.js

# Tells the size of each file that is renamed, and dies after that where it is to.
cat >hook.js <<'END'
const fs = require('fs'), rename = fs.renameSync;
fs.renameSync = (from, to) => {
  fs.writeFileSync('size', String(fs.statSync(from).size));
  rename(from, to);
  if (process.env.DIE) process.kill(process.pid, 'SIGKILL');
};
END
echo '{"n": 0}' >state.json
node -r ./hook.js "$json" -q -I -f state.json -e 'this.n = 1'
echo "size of the file that is renamed onto state.json: $(cat size) bytes"

echo '{"n": 0}' >killed.json
DIE=1 node -r ./hook.js "$json" -q -I -f killed.json -e 'this.n = 1' 2>killed.log || true
echo "killed after the rename: state.json has $(wc -c <killed.json) bytes"

cat >reader.js <<'END'
const fs = require('fs');
let torn = 0;
while (!fs.existsSync('stop')) try { JSON.parse(fs.readFileSync('state.json', 'utf8')); } catch { torn++; }
fs.writeFileSync('torn', String(torn));
END
node reader.js &
for n in $(seq 20); do node "$json" -q -I -f state.json -e "this.n = $n"; done
touch stop
wait
echo "20 calls beside a reader that reads all the time: empty or half a document in $(cat torn) of its readings"

[ "$(cat size)" -eq 0 ] && [ ! -s killed.json ] && [ "$(cat torn)" -gt 0 ]
