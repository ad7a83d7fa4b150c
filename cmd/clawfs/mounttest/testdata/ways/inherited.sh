# A program writes to a descriptor that the shell opened.
exec 3> f.json
"$PYTHON" -c 'import os; os.write(3, b"{\"python\": true}\n")'
node -e 'require("fs").writeSync(3, "  \n")'
exec 3>&-
