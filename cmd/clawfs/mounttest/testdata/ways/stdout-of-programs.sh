"$PYTHON" -c 'import json; print(json.dumps({"by": "python"}))' > f.json
node -e 'console.log(JSON.stringify({ by: "node" }))' > g.json
jq -n '{by: "jq"}' > new.json
