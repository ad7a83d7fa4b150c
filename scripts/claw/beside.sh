# Part of scripts/openclaw: `config set` beside scripts that read openclaw.json, change it
# and write it back, ten times each, in two ways.
# shellcheck shell=bash disable=SC2154

part_beside() {
  local place name file pids i tries done_keys python shell
  for place in "${places[@]}"; do
    name=beside-$place
    world "$name" "$place"
    file=$(config "$name")
    claw "$name" config set env.vars.K_0 v >/dev/null 2>&1
    python3 - "$file" >"$work/$name/python" 2>&1 <<'P' &
import json, os, sys, time
file = sys.argv[1]
for i in range(10):
    document = json.load(open(file))
    time.sleep(0.5)
    document.setdefault('env', {}).setdefault('vars', {})['P_%d' % i] = 'v'
    with open(file + '.py.tmp', 'w') as out:
        json.dump(document, out, indent=2)
    os.rename(file + '.py.tmp', file)
    time.sleep(0.5)
P
    pids=($!)
    for ((i = 0; i < 10; i++)); do
      jq ".env.vars.S_$i = \"v\"" "$file" >"$file.sh.tmp" && sleep 0.3 && mv "$file.sh.tmp" "$file"
      sleep 0.6
    done >"$work/$name/shell" 2>&1 &
    pids+=($!)
    # a command that is refused since somebody else has written is typed again
    tries=0 done_keys=0
    for i in 1 2 3 4 5; do
      for _ in 1 2 3 4 5 6; do
        tries=$((tries + 1))
        claw "$name" config set "env.vars.K_$i" v >/dev/null 2>&1 && { done_keys=$((done_keys + 1)); break; }
      done
    done
    wait "${pids[@]}"
    count() { jq --arg p "$1" '[.env.vars | keys[] | select(startswith($p))] | length' "$file"; }
    python=$(count P_) shell=$(count S_)
    echo "$version $place: beside $((20)) writes of scripts: $(count K_) of $((done_keys + 1)) keys that \`config set\` acknowledged ($tries tries), $python of 10 of a python script, $shell of 10 of a jq script"
    [ "$place" = bare ] || { [ "$(count K_)" = $((done_keys + 1)) ] && [ "$python" = 10 ] && [ "$shell" = 10 ]; } || wrong "$name" "something was lost beside scripts"
    end_world "$name"
  done
}
