# Part of scripts/openclaw: a gateway must notice each change of openclaw.json.
# shellcheck shell=bash disable=SC2154

# notices WORLD: how many changes the gateway has noticed.
notices() { grep -cE 'config change detected|config hot reload applied' "$work/$1/gateway.log"; }

part_gateway() {
  local place name file before seen all said i ways
  for place in "${places[@]}"; do
    name=gateway-$place
    world "$name" "$place"
    file=$(config "$name")
    claw "$name" config set gateway.mode local >/dev/null 2>&1
    claw "$name" config set messages.ackReaction start >/dev/null 2>&1
    gateway "$name" || { wrong "$name" "the gateway does not start"; continue; }
    sleep 3
    ways=(
      "claw $name config set messages.ackReaction one"
      "claw $name config set messages.ackReaction two"
      "claw $name config set messages.ackReaction three"
      "jq '.messages.ackReaction=\"four\"' '$file' >'$file.new' && mv '$file.new' '$file'"
      "python3 -c 'import json; f=\"$file\"; d=json.load(open(f)); d[\"messages\"][\"ackReaction\"]=\"five\"; json.dump(d, open(f, \"w\"), indent=2)'"
      "sed -i 's/\"five\"/\"six\"/' '$file'"
      "claw $name config set messages.ackReaction seven"
    )
    seen=0 all=0 said=
    for way in "${ways[@]}"; do
      before=$(notices "$name") all=$((all + 1))
      eval "$way" >/dev/null 2>&1 || said="$said; way $all failed"
      for ((i = 0; i < 480 && $(notices "$name") == before; i++)); do sleep 0.25; done
      if [ "$(notices "$name")" -gt "$before" ]; then seen=$((seen + 1)); else said="$said; way $all was missed"; fi
      sleep 2 # a second change within the gateway's pause would be one with the first
    done
    end_gateway
    echo "$version $place: the gateway noticed $seen of $all changes$said"
    [ "$place" = bare ] || { [ "$seen" = $all ] && [ -z "$said" ] && [ "$(jq -r .messages.ackReaction "$file")" = seven ]; } || wrong "$name" "the gateway missed changes"
    end_world "$name"
  done
}
