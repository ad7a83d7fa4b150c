# 5 MB, in place, copied, compared, moved.
"$PYTHON" -c 'import json; print(json.dumps({"list": [{"id": i, "text": "x" * 90} for i in range(50000)]}))' > f.json
cp f.json new.json
cmp f.json new.json && wc -c < new.json
mv new.json g.json
tail -c 20 g.json
md5sum < f.json
