"""add.py FILE LIST ENTRY: appends the JSON value ENTRY to the list named LIST
in FILE, as most programs do it: read the whole file, change the copy in
memory, wait for something, write the whole file back in place. An ordinary
program: it takes no lock and knows of no other writer. With FSYNC=1 it has what
it writes on disk before it ends."""

import json
import os
import sys
import time

path, name, entry = sys.argv[1:]
with open(path, encoding="utf-8") as f:
    registry = json.load(f)
registry[name].append(json.loads(entry))
time.sleep(0.02)
with open(path, "w", encoding="utf-8") as f:
    json.dump(registry, f, indent=2)
    f.write("\n")
    if os.environ.get("FSYNC") == "1":
        f.flush()
        os.fsync(f.fileno())
