# Read and write through one descriptor of the shell.
exec 3<> f.json
read -r -u 3 line
echo "read: $line"
exec 3>&-
exec 3<> f.json
printf '{"models":[]}' >&3
head -c 100 /dev/zero | tr '\0' ' ' >&3
exec 3>&-
truncate -s 14 f.json
cat f.json
