# Packed and unpacked over what is there.
tar cf packed.tar f.json g.json
echo '{"changed":1}' > f.json
tar xf packed.tar
tar xf packed.tar --overwrite
cat f.json
rm packed.tar
