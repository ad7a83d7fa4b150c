# Names that look like registries and are none: anything goes.
echo 'not json' > F.JSON
echo 'not json' > f.json.bak
echo 'not json' > f.jsonl
echo 'not json' > json
mkdir -p node_modules workspace1; echo '// comment' > node_modules/a.json; echo '// comment' > workspace1/b.json
cat F.JSON f.json.bak f.jsonl json node_modules/a.json workspace1/b.json
