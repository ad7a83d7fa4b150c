"""adds-late.py FILE NAME: adds a member NAME to the object in FILE. Half of the new content is written
before it says "ready", and the rest when it has got a line."""

import json
import sys

file, name = sys.argv[1:]
with open(file) as f:
    members = json.load(f)
members[name] = name
text = json.dumps(members)
with open(file, "w") as f:
    f.write(text[: len(text) // 2])
    f.flush()
    print("ready", flush=True)
    sys.stdin.readline()
    f.write(text[len(text) // 2 :])
