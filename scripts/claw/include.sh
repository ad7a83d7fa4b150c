# Part of scripts/openclaw: openclaw.json that includes another file.
# shellcheck shell=bash disable=SC2154

part_include() {
  local place name dir sums=()
  for place in bare mount; do
    name=include-$place
    world "$name" "$place"
    dir=$work/$name/.openclaw
    echo '{ "gateway": { "mode": "local" }, "env": { "$include": "./env.json" }, "messages": { "ackReaction": "start" } }' >"$dir/openclaw.json"
    echo '{ "vars": { "A": "a" } }' >"$dir/env.json"
    {
      claw "$name" config get env.vars.A
      claw "$name" config set messages.ackReaction one
      echo "exit $?"
      claw "$name" config set env.vars.B b
      echo "exit $?"
      jq '.vars.C = "c"' "$dir/env.json" >"$dir/env.new" && mv "$dir/env.new" "$dir/env.json"
      claw "$name" config get env.vars.C
      echo "exit $?"
      jq -S 'del(.meta)' "$dir/openclaw.json"
      jq -S . "$dir/env.json"
    } 2>/dev/null | grep -v overwrite | sed "s#$work/$name#HOME#g" >"$work/$name.said"
    sums+=("$(sha256sum <"$work/$name.said")")
    # the gateway notices what changes in the included file
    if gateway "$name"; then
      sleep 3
      local before i
      before=$(notices "$name")
      jq '.vars.D = "d"' "$dir/env.json" >"$dir/env.new" && mv "$dir/env.new" "$dir/env.json"
      for ((i = 0; i < 480 && $(notices "$name") == before; i++)); do sleep 0.25; done
      included="$(($(notices "$name") - before > 0 ? 1 : 0))"
      end_gateway
    else
      included='no gateway: 0'
    fi
    sums+=("$included")
    echo "$version $place: with an included file: \`config get\` and \`set\` say $(grep -c 'exit 0' "$work/$name.said") of 3 times 0, a change of the included file was noticed: $included"
    end_world "$name"
  done
  [ "${sums[0]}${sums[1]}" = "${sums[2]}${sums[3]}" ] || { wrong include "included files are otherwise on the mount"; diff "$work/include-bare.said" "$work/include-mount.said"; }
}
