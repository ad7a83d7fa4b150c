mkdir -p a/b/c
echo '{"n":1}' > a/b/c/deep.json
cp f.json a/b/f.json
mv a/b a/moved
echo '{"n":2}' > a/moved/c/deep.json
mv a renamed
cat renamed/moved/c/deep.json
( cd renamed/moved && echo '{"n":3}' > f.json )
cp -r renamed copy
rm -r renamed
rmdir copy 2>&1
find . -name '*.json' | sort
