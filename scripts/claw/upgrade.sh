# Part of scripts/openclaw: a state of 2026.2.19, with agents, cron jobs, approvals and a
# session, is taken over by a newer version with `doctor --fix`; on the mount all the
# time, and (between) with the take-over in the bare directory while clawfs is unmounted.
# shellcheck shell=bash disable=SC2154

part_upgrade() {
  local new=$version old=2026.2.19 place name i mock said
  [ "$new" != $old ] || return 0
  install_openclaw $old
  "$cache/$old/node/bin/node" "$top/scripts/claw/model.mjs" $((port + 1)) >"$work/model.log" 2>&1 &
  mock=$!
  local results=()
  for place in bare mount between; do
    name=upgrade-$place
    world "$name" "$place"
    cat >"$(config "$name")" <<C
{ "gateway": { "mode": "local", "port": $port, "bind": "loopback", "auth": { "mode": "token", "token": "t" } }, "update": { "checkOnStart": false },
  "agents": { "defaults": { "model": { "primary": "mock/mock-1" }, "workspace": "$work/$name/ws", "heartbeat": { "every": "0m" } } },
  "models": { "providers": { "mock": { "baseUrl": "http://127.0.0.1:$((port + 1))/v1", "apiKey": "none", "api": "openai-completions", "models": [
    { "id": "mock-1", "name": "Mock", "reasoning": false, "input": ["text"], "cost": { "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0 }, "contextWindow": 128000, "maxTokens": 4096 } ] } } } }
C
    version=$old
    gateway "$name" || { version=$new; wrong "$name" "the old gateway does not start"; continue; }
    claw "$name" agent --agent main --message hi >"$work/out" 2>&1 || say "$(tail -n 1 "$work/out")"
    for i in 1 2; do claw "$name" cron add --name "job$i" --every 1h --system-event "e$i" --session main >"$work/out" 2>&1 || say "$(tail -n 1 "$work/out")"; done
    claw "$name" approvals allowlist add /opt/a/b >"$work/out" 2>&1
    claw "$name" agents add second --workspace "$work/$name/ws2" --non-interactive >"$work/out" 2>&1
    end_gateway
    version=$new
    [ "$place" != between ] || "$clawfs" unmount "$work/$name/.openclaw" >/dev/null
    for i in {1..10}; do # like a gateway it gives up where parts of it have not begun within seconds
      claw "$name" doctor --fix --non-interactive --yes >"$work/$name/doctor.log" 2>&1
      said="doctor --fix exits with $?"
      gave_up "$work/$name/doctor.log" || break
    done
    [ "$place" != between ] || mount_world "$name"
    gateway "$name" && said="$said, the gateway serves" || said="$said, the gateway does NOT serve"
    said="$said, cron jobs $(claw "$name" cron list --json 2>/dev/null | jq '.jobs | length')"
    said="$said, approvals $(claw "$name" approvals get --json 2>/dev/null | jq '[.. | objects | select(has("pattern")) | .pattern] | unique | length')"
    said="$said, agents $(claw "$name" agents list --json 2>/dev/null | jq length), sessions $(claw "$name" sessions --json 2>/dev/null | jq '.sessions | length')"
    claw "$name" agent --agent main --message again >"$work/out" 2>&1
    said="$said, a turn of the agent exits with $?"
    end_gateway
    results+=("$said")
    echo "$version $place: state of $old: $said"
    [ "$place" = bare ] || { echo "$version $place: $(ended "$name")"; [ "$said" = "${results[0]}" ] || wrong "$name" "the upgrade goes otherwise than in a bare directory"; }
    end_world "$name"
  done
  kill "$mock"
}
