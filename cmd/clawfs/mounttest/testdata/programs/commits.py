"""commits.py FILE FIRST N: commits N versions of FILE, by turns in place, r+ and by
rename; each tenth is refused, each hundredth is read again first."""

import json
import os
import sys

path, first, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(first, first + n):
    if i % 100 == 0:
        with open(path, encoding="utf-8") as f:
            json.load(f)
    text = json.dumps({"version": i, "models": [{"id": f"m{j}", "text": "x" * 50} for j in range(i % 40)]})
    if i % 10 == 0:
        text = text[:-1]
    try:
        if i % 3 == 0:
            with open(path + ".tmp", "w", encoding="utf-8") as f:
                f.write(text)
            os.replace(path + ".tmp", path)
        else:
            with open(path, "w" if i % 3 == 1 else "r+", encoding="utf-8") as f:
                f.write(text)
                f.truncate()
        if i % 10 == 0:
            sys.exit(f"{i} was not refused")
    except OSError:
        if i % 10 != 0:
            raise
