"""history.py FILE NAME HOW SECONDS: appends to the list in FILE, or reads it, as
fast as it can, and prints what it did, an operation a line:

    append START END OK ID       OK: 1 if every call succeeded
    read START END LENGTH HASH   of the ids that were read, in their order
    torn START END               what was read is no document

HOW is in-place, rename, or read. Times are of the system's monotonic clock, in
nanoseconds, so that those of several processes can be compared.
"""

import hashlib
import json
import os
import sys
import time

path, name, how, seconds = sys.argv[1:]
now = time.monotonic_ns
end = now() + int(float(seconds) * 1e9)


def load():
    with open(path, "rb") as f:
        return json.loads(f.read())


def save(text):
    target = path if how == "in-place" else f"{path}.{name}.tmp"
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(fd, text)
    finally:
        os.close(fd)
    if how == "rename":
        os.rename(target, path)


count = 0
while now() < end:
    start = now()
    try:
        doc = load()
    except OSError:
        time.sleep(0.01)  # the daemon is gone for a moment
        continue
    except ValueError:
        print("torn", start, now())
        continue
    if how == "read":
        ids = [e["id"] for e in doc]
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
        print("read", start, now(), len(ids), digest)
        time.sleep(0.002)
        continue
    count += 1
    entry = f"{name}-{count}"
    doc.append({"id": entry})
    ok = 1
    start = now()
    try:
        save(json.dumps(doc).encode())
    except OSError:
        ok = 0
    print("append", start, now(), ok, entry)
    if not ok:
        time.sleep(0.01)
