# mv across file systems removes the target and creates it anew.
d=$(mktemp -d "${ELSEWHERE:?}/XXXXXX"); trap 'rm -r "$d"' EXIT
echo '{"from":"elsewhere"}' > "$d/t"; chmod 640 "$d/t"
mv "$d/t" f.json
mv g.json "$d/g.json"
cat "$d/g.json"
mv "$d/g.json" new.json
