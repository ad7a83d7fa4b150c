printf '[1]          ' > f.json
truncate -s 3 f.json
"$PYTHON" -c 'import os; os.truncate("f.json", 3)'
node -e 'require("fs").truncateSync("f.json", 3)'
stat -c %s f.json
