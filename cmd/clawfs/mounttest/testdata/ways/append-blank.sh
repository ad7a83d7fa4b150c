# Appending what keeps the document valid.
echo >> f.json
printf '   \n' >> f.json
node -e 'require("fs").appendFileSync("f.json", "\n\n")'
"$PYTHON" -c 'open("f.json", "a").write("\t")'
