import std/[json, os]
let v = parseFile(paramStr(1))
echo "ready"; flushFile(stdout); discard readLine(stdin)
v["added"] = %1
writeFile(paramStr(1), v.pretty)
