# Part of scripts/openclaw: ten commands of a kind at once, round after round, each on a
# new state. The change of each command that exited with 0 must be there. 2026.2.19
# refuses nothing; newer versions refuse to write openclaw.json if somebody else has
# written it since they read it.
# shellcheck shell=bash disable=SC2154

# used_state: a world that is a template of one in use: configured, with agents and plugins,
# and a gateway has run there.
used_state() {
  rm -rf "${work:?}/used"
  world used bare
  claw used config set gateway.mode local >/dev/null 2>&1
  claw used config set messages.ackReaction start >/dev/null 2>&1
  claw used config set env.vars.OLD old >/dev/null 2>&1
  claw used agents add old --non-interactive --workspace "$work/used/old" >/dev/null 2>&1
  claw used config set "plugins.entries.${plugins[10]}.enabled" true >/dev/null 2>&1
  gateway used || die "the gateway does not start"
  end_gateway
}

# these KIND: how many of the ten are there, each once.
these() {
  local file=$work/now/.openclaw/openclaw.json
  case $1 in
    keys) jq '[.env.vars // {} | to_entries[] | select(.key | startswith("K_")) | select(.value == "v")] | length' "$file" ;;
    agents) jq '[.agents.list // [] | .[].id | select(startswith("new-"))] | group_by(.) | map(select(length == 1)) | length' "$file" ;;
    plugins) jq --args '[.plugins.entries // {} | to_entries[] | select(.key | IN($ARGS.positional[])) | select(.value.enabled)] | length' "${plugins[@]:0:10}" <"$file" ;;
  esac
}

# do_these KIND: the ten commands, by processes of their own or by the pool. It sets failed.
do_these() {
  local argv
  case $1 in
    keys) argv=(config set "env.vars.K_{}" v) ;;
    agents) argv=(agents add "new-{}" --non-interactive --workspace "$work/now/ws{}") ;;
    plugins) argv=(config set "plugins.entries.PLUGIN{}.enabled" true) ;;
  esac
  [ "$1:$pooled" != plugins: ] || argv=(plugins enable "PLUGIN{}")
  if [ -n "$pooled" ]; then
    jq -cn '$ARGS.positional' --args -- "${argv[@]}" >&"${pool[1]}"
    read -r failed <&"${pool[0]}" || die "the pool has ended"
  else
    together now 10 "${argv[@]}"
  fi
}

# now_is PLACE [TEMPLATE]: the world "now" gets a new state, in a directory of its own: on
# the mount that is there all the time, or beside it.
now_is() {
  local to
  states=$((states + 1))
  to=$work/states-$1/$states
  mkdir -p "$work/now"
  if [ -n "${2-}" ]; then cp -a "$work/$2/.openclaw" "$to"; else mkdir -m 700 "$to"; fi
  ln -sfn "$to" "$work/now/.openclaw"
}

# batch KIND STATE N PLACE: one batch, counted in there, all, bad.
batch() {
  local n before=0
  do_these "$1"
  n=$(these "$1") || n=0
  there=$((there + n)) all=$((all + 10)) bad=$((bad + failed))
  # the earlier settings must be there, too
  [ "$2" = fresh ] || before=$(jq '[.env.vars.OLD == "old", (.agents.list | any(.id == "old")), .gateway.mode == "local"] | map(select(. | not)) | length' "$(config now)")
  [ "$4" = bare ] || { [ $((n + failed)) -ge 10 ] && [ "$before" = 0 ]; } ||
    wrong now "$1 $2, round $3: $n of 10, $failed failed, $before of what was there before is gone"
}

part_at_once() {
  local place state kind n there all bad count pooled='' pool states=0
  case $version in # ten that come with it, and one more
    2026.[2-3].*) plugins=(bluebubbles discord feishu googlechat imessage irc line llm-task lobster matrix mattermost) pooled=1 ;;
    *) plugins=(litellm lmstudio logbook ollama openrouter sglang together vault vllm webhooks llm-task) ;;
  esac
  [ -z "$cold" ] || pooled=''
  mkdir -p "$work/states-bare" "$work/states-mount" "$work/now"
  "$clawfs" mount --log-file "$work/now/clawfs.log" "$work/states-mount" 2>/dev/null || die "clawfs does not mount"
  now_is bare
  if [ -n "$pooled" ]; then
    coproc POOL { PLUGINS="${plugins[*]}" openclaw_node now "$top/scripts/claw/pool.mjs" "$cache/$version/node_modules/openclaw/dist" 2>"$work/pool.log"; }
    pool=("${POOL[@]}")
    read -r _ <&"${pool[0]}" || die "the pool does not start"
  fi
  for place in mount bare; do
    count=$rounds
    [ "$place" = mount ] || count=$bare_rounds
    for state in fresh used; do
      [ $state = fresh ] || [ -d "$work/used" ] || used_state
      for kind in "${kinds[@]}"; do
        there=0 all=0 bad=0
        for ((n = 1; n <= count; n++)); do
          if [ "$state" = fresh ]; then now_is "$place"; else now_is "$place" used; fi
          batch $kind $state $n "$place"
        done
        [ "$count" = 0 ] || echo "$version $place: $kind from a $state state, $count rounds of ten ${pooled:+loaded }commands at once: $there of $all are there, $bad commands failed"
      done
    done
  done
  [ -z "$pooled" ] || eval "exec ${pool[1]}>&-"
  echo "$version mount: $("$clawfs" status --json "$work/states-mount" | jq -r '"commits \(.commits), merged \(.merged), conflicts \(.conflicts), rejected \(.rejected), aborted \(.aborted)"')"
  "$clawfs" unmount --timeout 20s "$work/states-mount" >/dev/null 2>&1 || unmount_below "$work/states-mount"
  rm -rf "$work/states-mount" "$work/states-bare" "$work/now"
}
