"""adds.py HOW FILE NAME STOP: adds members NAME-0, NAME-1 … to the object in FILE, one after another,
until there is a file STOP. HOW is in-place, in two parts, or rename. Prints how many were added: all of its calls have
succeeded."""

import json
import os
import random
import sys
import time

how, file, name, stop = sys.argv[1:]
added = 0
while not os.path.exists(stop):
    with open(file) as f:
        members = json.load(f)
    members[f"{name}-{added}"] = added
    text = json.dumps(members)
    if how == "rename":
        with open(file + "." + name, "w") as f:
            f.write(text)
            f.flush()
            os.fsync(f.fileno())
        os.rename(file + "." + name, file)
    else:
        with open(file, "w") as f:
            f.write(text[: len(text) // 2])
            f.flush()
            time.sleep(random.random() / 50)
            f.write(text[len(text) // 2 :])
    added += 1
    time.sleep(random.random() / 50)
print(added)
