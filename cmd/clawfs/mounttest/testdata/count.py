# count.py FILE ID: adds an entry to the list in FILE, and one to the number of entries, as
# a program does that knows of no other: reads, writes a temporary file, renames it.
import json, os, sys

path, entry = sys.argv[1:]
with open(path) as f:
    doc = json.load(f)
doc["seq"] += 1
doc["models"].append({"id": entry})
temporary = f"{path}.{os.getpid()}.tmp"
with open(temporary, "w") as f:
    json.dump(doc, f)
os.rename(temporary, path)
