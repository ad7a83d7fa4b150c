# Part of scripts/openclaw: the wiki and the backup of newer versions. Their output and
# their files must be the same as in a bare directory, but for times and identifiers.
# shellcheck shell=bash disable=SC2154

# step WORLD NAME COMMAND…: a line with how it ended.
step() { claw "$1" "${@:3}" >"$work/out" 2>&1; echo "$2 exits with $?"; }

part_wiki() {
  local place name said first='' archive
  case $version in 2026.[2-6].*) return 0 ;; esac
  for place in bare mount; do
    name=wiki-$place
    world "$name" "$place"
    mkdir -p "$work/$name/notes" "$work/$name/archives"
    echo 'Alpha is the first letter.' >"$work/$name/notes/alpha.md"
    said=$(
      step "$name" 'config set' config set gateway.mode local
      step "$name" 'plugins enable' plugins enable memory-wiki
      step "$name" 'wiki init' wiki init
      step "$name" 'wiki ingest' wiki ingest "$work/$name/notes/alpha.md"
      step "$name" 'wiki compile' wiki compile
      step "$name" 'wiki lint' wiki lint
      step "$name" 'wiki search' wiki search letter
      grep -c alpha "$work/out"
      step "$name" 'backup create --verify' backup create --verify --output "$work/$name/archives"
      archive=$(find "$work/$name/archives" -name '*.tar.gz')
      step "$name" 'backup verify' backup verify "$archive"
      tar tzf "$archive" | grep -c 'openclaw.json$'
      tar tzf "$archive" | grep -c '/\.clawfs/'
    )
    said=$(tr '\n' ';' <<<"$said")
    echo "$version $place: $said"
    [ "$place" = bare ] && first=$said || { echo "$version $place: $(ended "$name")"; [ "$said" = "$first" ] || wrong "$name" 'wiki and backup are otherwise than in a bare directory'; }
    end_world "$name"
  done
}
