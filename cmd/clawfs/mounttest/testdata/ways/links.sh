ln -s f.json symbolic.json
echo '{"through":"a link"}' > symbolic.json
cat symbolic.json
readlink symbolic.json
ln g.json hard.json
stat -c %h g.json hard.json
cat hard.json
rm g.json
cat hard.json
mkdir sub; ln -s ../f.json sub/up.json; cat sub/up.json
