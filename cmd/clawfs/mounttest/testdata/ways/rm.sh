rm f.json
ls
cat f.json
rm -f f.json g.json
echo '[1]' > f.json
cat f.json
