"""watchful.py FILE SECONDS: the same as watchful.mjs, with open descriptors: each
time it reads in three parts with pauses between them, compares fstat with what
it can read, and reads the whole again from the same descriptor: that may be of
a newer version."""

import json
import os
import sys
import time

path, seconds = sys.argv[1:]
end = time.monotonic() + float(seconds)
last = {}
wrong = []
reads = versions = 0


def check(text):
    changed = False
    for name, value in json.loads(text).items():
        count, length, padding = value["count"], value["length"], value["padding"]
        if padding != chr(97 + count % 26) * length:
            wrong.append(f"torn: {name} at {count}")
        if count < last.get(name, 0):
            wrong.append(f"{name} goes back from {last[name]} to {count}")
        changed = changed or count != last.get(name)
        last[name] = count
    return changed


def rest(fd):
    parts = []
    while part := os.read(fd, 1 << 16):
        parts.append(part)
    return b"".join(parts)


while time.monotonic() < end and len(wrong) < 10:
    reads += 1
    fd = os.open(path, os.O_RDONLY)
    try:
        text = os.read(fd, 1000)
        time.sleep(0.002)
        size = os.fstat(fd).st_size
        text += os.read(fd, 20000)
        time.sleep(0.002)
        text += rest(fd)
        if size < len(text):
            wrong.append(f"fstat said {size}, {len(text)} could be read")
        versions += check(text)
        os.lseek(fd, 0, os.SEEK_SET)
        text = rest(fd)
        if os.pread(fd, 500, len(text) // 2) != text[len(text) // 2 :][:500]:
            wrong.append("another content from the same descriptor")
        versions += check(text)
        size = os.fstat(fd).st_size
        if len(text := os.pread(fd, size, 0)) < size:
            wrong.append(f"fstat said {size}, {len(text)} could be read")
        versions += check(text)
    except (OSError, ValueError) as err:
        wrong.append(f"{type(err).__name__}: {str(err)[:100]}")
    finally:
        os.close(fd)
print(json.dumps({"reads": reads, "versions": versions, "wrong": wrong, "last": last}))
