"""often-killed.py FILE NAME: adds entries to the list "models" of FILE until it is
killed. Each content is a document long before it is whole. Prints, a line each:

    wrote ID     the first part, which is a document with the entry, is written
    closing ID   the last part is
    closed ID    close(2) has returned 0
"""

import json
import os
import sys
import time

path, name = sys.argv[1:]


def say(text):
    os.write(1, (text + "\n").encode())


count = 0
while True:
    count += 1
    entry = f"{name}-{count}"
    with open(path, encoding="utf-8") as f:
        doc = json.load(f)
    doc["models"].append({"id": entry})
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.write(fd, json.dumps(doc).encode())
    say(f"wrote {entry}")
    for _ in range(5):
        time.sleep(0.002)
        os.write(fd, b"\n")
    say(f"closing {entry}")
    os.close(fd)
    say(f"closed {entry}")
