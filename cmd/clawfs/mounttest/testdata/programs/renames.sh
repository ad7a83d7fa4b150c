# renames.sh FILE SECONDS: replaces FILE by rename, over and over.
end=$((SECONDS + $2 + 1))
i=0
while ((SECONDS < end)); do
  i=$((i + 1))
  echo "{\"count\": $i, \"of\": $BASHPID}" >"$1.$BASHPID.tmp"
  mv "$1.$BASHPID.tmp" "$1"
done
