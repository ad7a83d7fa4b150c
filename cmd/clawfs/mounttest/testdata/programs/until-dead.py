"""until-dead.py NAME FILE: adds entries to the list "models" of FILE, in place, by rename, and
by rename of a file that is written on, in turn, until the file system is gone. Prints the ids of those that
were acknowledged."""

import errno
import json
import os
import sys

name, path = sys.argv[1:]
i = 0
while True:
    entry = f"{name}-{i}"
    try:
        with open(path, encoding="utf-8") as f:
            doc = json.load(f)
        doc["models"].append({"id": entry})
        target = [path, f"{path}.{name}.tmp", path, f"{name}.tmp.json", f"{name}.tmp.json"][i % 5]
        text = json.dumps(doc)
        half = len(text) // 2 if i % 5 == 4 else 0
        with open(target, "w", encoding="utf-8") as f:
            if half:
                f.write(text[:half])
                f.flush()
                os.replace(target, path)
            f.write(text[half:])
        if target != path and not half:
            os.replace(target, path)
    except OSError as err:
        if err.errno in (errno.ENOTCONN, errno.ECONNABORTED):
            break
        raise
    print(entry)
    i += 1
