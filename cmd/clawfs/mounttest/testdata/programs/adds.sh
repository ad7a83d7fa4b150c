# adds.sh HOW FILE NAME STOP: adds members NAME-0, NAME-1 … to the object in FILE, one after another,
# until there is a file STOP. HOW is in-place or rename. Prints how many were added: all of its
# commands have succeeded.
set -eu
added=0
until [ -e "$4" ]; do
    case $1 in
    rename)
        jq --arg key "$3-$added" --argjson value "$added" '.[$key] = $value' "$2" >"$2.$3"
        mv "$2.$3" "$2"
        ;;
    in-place)
        text=$(jq --arg key "$3-$added" --argjson value "$added" '.[$key] = $value' "$2")
        printf '%s\n' "$text" >"$2"
        ;;
    esac
    added=$((added + 1))
done
echo "$added"
