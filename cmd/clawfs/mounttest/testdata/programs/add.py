"""add.py HOW FILE ID: adds {"id": ID} to the list "models" of FILE, as most
programs do it: read the whole file, change the copy in memory, write the whole
file back. HOW says how it is written."""

import json
import os
import sys
import tempfile

from gate import gate


def in_place(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def update(path, text):
    with open(path, "r+", encoding="utf-8") as f:
        f.write(text)
        f.truncate()


def replace(path, text):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=os.path.dirname(path) or ".", delete=False) as f:
        f.write(text)
    os.replace(f.name, path)


def descriptor(path, text):
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    for i in range(0, len(text), 100):
        os.write(fd, text[i : i + 100].encode())
    os.fsync(fd)
    os.close(fd)


def nameless(path, text):
    """O_TMPFILE, given a name when it is whole, then renamed."""
    fd = os.open(os.path.dirname(path) or ".", os.O_TMPFILE | os.O_WRONLY, 0o644)
    os.write(fd, text.encode())
    temporary = f"{path}.{os.getpid()}.tmp"
    os.link(f"/proc/self/fd/{fd}", temporary, src_dir_fd=fd)  # a descriptor makes it follow the link
    os.close(fd)
    os.replace(temporary, path)


def aside(path, text):
    """Keeps the old file until the new one is whole."""
    kept = f"{path}.{os.getpid()}.tmp"
    try:
        os.rename(path, kept)
    except FileNotFoundError:
        pass  # somebody else has, just now
    in_place(path, text)
    if os.path.exists(kept):
        os.remove(kept)


WAYS = {"in-place": in_place, "r+": update, "replace": replace, "descriptor": descriptor, "nameless": nameless, "aside": aside}

how, path, name = sys.argv[1:]
gate("start")
with open(path, encoding="utf-8") as f:
    registry = json.load(f)
registry["models"].append({"id": name, "by": how})
gate("read")
WAYS[how](path, json.dumps(registry, indent=2) + "\n")
