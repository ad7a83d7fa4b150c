jq '.models += [{id: "b"}]' f.json > f.json.tmp && mv f.json.tmp f.json
jq '.models[0].id = "c"' f.json | sponge f.json
new=$(jq '.n = 1' f.json); echo "$new" > f.json
cat f.json | jq -c '.n += 1' | tee new.json
