# Programs that watch files.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

# watched COMMAND…: it prints a line when it is ready, and some for each change. Five changes
# are made in five ways; it says of each whether it was noticed.
watched() {
  local pid i n before
  echo '{"a":0}' >w.json
  : >"$HOME/out"
  "$@" >>"$HOME/out" 2>/dev/null &
  pid=$!
  for ((i = 0; i < 100; i++)); do [ -s "$HOME/out" ] && break; sleep 0.1; done
  sleep 1
  for n in "echo '{\"a\":1}' >w.json" "echo '{\"a\":2}' >w.tmp && mv w.tmp w.json" "sed -i s/2/3/ w.json" \
    "python3 -c 'import json; d = json.load(open(\"w.json\")); d[\"b\"] = 1; json.dump(d, open(\"w.json\", \"w\"))'" "echo '{\"a\":4}' >t.json && cp t.json w.json"; do
    before=$(wc -l <"$HOME/out")
    eval "$n"
    for ((i = 0; i < 50; i++)); do [ "$(wc -l <"$HOME/out")" -gt "$before" ] && break; sleep 0.1; done
    [ "$(wc -l <"$HOME/out")" -gt "$before" ] && echo noticed || echo missed
    sleep 1.5
  done
  kill "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  return 0
}
for library in fs.watch fs.watchFile; do
  program "$library" npm:
  eval "${library//./_}_version() { node --version; }; ${library//./_}_alone() { watched node \"\$CACHE/watch.mjs\" $library w.json; }"
done
for library in chokidar watchpack; do
  program "$library" npm:
  eval "${library}_version() { jq -r .version \"\$CACHE/node_modules/$library/package.json\"; }; ${library}_alone() { watched node \"\$CACHE/watch.mjs\" $library w.json; }"
done

program nodemon npm:
nodemon_version() { nodemon --version; }
nodemon_alone() { echo 'console.log("started")' >"$HOME/a.js"; watched nodemon -q -w w.json -e json "$HOME/a.js"; }

program inotifywait inotify-tools
inotifywait_version() { dpkg-query -Wf '${Version}' inotify-tools; }
inotifywait_alone() { (sleep 1; touch w.json) & watched inotifywait -q -m -e close_write,moved_to --include 'w\.json$' .; wait; }

program entr entr
entr_version() { dpkg-query -Wf '${Version}' entr; }
entr_alone() { watched bash -c 'echo w.json | entr -n echo changed'; }

program tail coreutils
tail_version() { tail --version | head -n 1; }
tail_alone() {
  local pid i
  echo one >log.jsonl
  tail -n +1 -F log.jsonl >"$HOME/t" 2>/dev/null &
  pid=$!
  sleep 1
  echo two >>log.jsonl
  sleep 1
  mv log.jsonl log.1
  echo three >log.jsonl
  for ((i = 0; i < 200; i++)); do grep -q three "$HOME/t" && break; sleep 0.1; done
  kill "$pid"
  wait "$pid" 2>/dev/null
  cat "$HOME/t"
}
notes[tail]='`-F` finds a file that was replaced some seconds later ([OPERATIONS.md](OPERATIONS.md#programs-that-watch-files))'
