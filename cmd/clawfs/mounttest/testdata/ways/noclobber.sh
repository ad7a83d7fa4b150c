# O_EXCL
set -o noclobber
echo '[1]' > f.json && echo "not refused"
echo '[2]' > new.json
echo '[3]' >| f.json
