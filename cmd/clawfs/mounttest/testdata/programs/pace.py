"""pace.py HOW FILE NAME SECONDS: the same as pace.mjs."""

import json
import os
import random
import sys
import time

how, path, name, seconds = sys.argv[1:]
end = time.monotonic() + float(seconds)
seq = 0
while time.monotonic() < end:
    with open(path, encoding="utf-8") as f:
        doc = json.load(f)
    seq += 1
    length = 10_000 + int(random.random() ** 2 * 490_000)
    doc[name] = {"count": seq, "length": length, "padding": chr(97 + seq % 26) * length}
    target = path if how == "in-place" else f"{path}.{name}.tmp"
    with open(target, "w", encoding="utf-8") as f:
        json.dump(doc, f)
    if target != path:
        os.replace(target, path)
    time.sleep(0.005)
print(seq)
