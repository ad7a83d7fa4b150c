# Part of scripts/openclaw: SIGKILL of the gateway, and of the daemon, while commands and a
# script write. Each change that a command or the script was told is saved must be there
# afterwards.
# shellcheck shell=bash disable=SC2154

part_kills() {
  local name=kills n victim daemon writer said=0 lost=0 killed=0 i pids file
  [ "$kills" -gt 0 ] || return 0
  world $name mount
  claw $name config set gateway.mode local >/dev/null 2>&1
  : >"$work/$name/saved"
  for ((n = 1; n <= kills; n++)); do
    [ $((n % 2)) = 1 ] && victim=gateway || victim=daemon
    gateway $name || { wrong $name "the gateway does not start, kill $n"; break; }
    # a script that adds a key to openclaw.json and one to a file of its own, again and again
    python3 - "$(config $name)" "$n" "$work/$name/saved" <<'P' &
import json, os, sys, time
file, n, saved = sys.argv[1:]
own = os.path.join(os.path.dirname(file), 'own.json')
for i in range(100000):
    for target in (file, own):
        key = 'P_%s_%d' % (n, i)
        try:
            document = json.load(open(target)) if os.path.exists(target) else {}
            place = document.setdefault('env', {}).setdefault('vars', {})
            place[key] = 'v'
            with open(target + '.py.tmp', 'w') as out:
                json.dump(document, out, indent=2)
            os.rename(target + '.py.tmp', target)
        except (OSError, ValueError):
            sys.exit() # the mount is gone
        with open(saved, 'a') as out:
            out.write('%s %s\n' % (os.path.basename(target), key))
    time.sleep(0.2)
P
    writer=$! pids=()
    for i in 1 2; do
      { claw $name config set "env.vars.C_${n}_$i" v >/dev/null 2>&1 && echo "openclaw.json C_${n}_$i" >>"$work/$name/saved"; } &
      pids+=($!)
    done
    sleep "$((RANDOM % 8)).$((RANDOM % 10))"
    if [ $victim = gateway ]; then
      end_gateway KILL
    else
      daemon=$("$clawfs" status --json "$work/$name/.openclaw" | jq .pid)
      kill -KILL "$daemon"
      end_gateway KILL
    fi
    killed=$((killed + 1))
    [ $victim = daemon ] || wait "${pids[@]}"
    kill "$writer" 2>/dev/null
    wait "$writer" "${pids[@]}" 2>/dev/null
    [ $victim = gateway ] || { unmount_below "$work/$name"; mount_world $name; }
    "$clawfs" check --json "$work/$name/.openclaw" >"$work/out" 2>/dev/null || wrong $name "check finds problems after kill $n: $(head -n 1 "$work/out")"
    sort "$work/$name/saved" >"$work/saved"
    said=$(wc -l <"$work/saved")
    for file in openclaw.json own.json; do jq -r --arg f $file '.env.vars // {} | keys[] | "\($f) \(.)"' "$work/$name/.openclaw/$file"; done | sort >"$work/there"
    lost=$(comm -23 "$work/saved" "$work/there" | wc -l)
    [ "$lost" = 0 ] || { wrong $name "after kill $n, of the $victim, $lost of $said are lost: $(comm -23 "$work/saved" "$work/there" | head -n 3 | tr '\n' ',')"; break; }
  done
  echo "$version mount: $killed kills of gateway and daemon in turn, $said writes acknowledged, $lost lost"
  end_world $name
}
