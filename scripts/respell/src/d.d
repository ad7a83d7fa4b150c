import std.file, std.json, std.stdio;
void main(string[] a) { auto v = parseJSON(readText(a[1])); writeln("ready"); stdout.flush(); readln(); v["added"] = 1; std.file.write(a[1], v.toPrettyString()); }
