# The descriptor stays open over many commands.
exec 3> f.json
echo '{' >&3
for i in 1 2 3; do echo "\"k$i\": $i," >&3; done
echo '"last": true }' >&3
exec 3>&-
cat f.json
