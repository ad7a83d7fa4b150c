# Where concurrent programs of the tests wait for each other: see gate.mjs. It
# is sourced, or run by other programs as `gate.sh PLACE`.
gate() {
  [ -n "${GATE-}" ] || return 0
  if [ "$GATE_AT" = "$1" ]; then
    echo >&3
    : <"$GATE"
  elif [ "$1" = read ]; then
    sleep "0.0$((RANDOM % 5))"
  fi
}
[ "${BASH_SOURCE[0]}" != "$0" ] || gate "$1"
