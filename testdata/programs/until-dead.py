"""until-dead.py NAME FILE: adds entries to the list "models" of FILE, in place and
by rename in turn, until the file system is gone. Prints the ids of those that
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
        target = path if i % 2 else f"{path}.{name}.tmp"
        with open(target, "w", encoding="utf-8") as f:
            json.dump(doc, f)
        if target != path:
            os.replace(target, path)
    except OSError as err:
        if err.errno in (errno.ENOTCONN, errno.ECONNABORTED):
            break
        raise
    print(entry)
    i += 1
