"""Counts under a lock on the registry itself: counter.py FILE ROUNDS WAY."""
import fcntl
import json
import os
import struct
import sys

path, rounds, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
F_OFD_SETLKW = 38


def lock(fd, kind):
    if way == "fcntl":
        fcntl.lockf(fd, kind)
    elif way == "ofd":
        kinds = {fcntl.LOCK_EX: fcntl.F_WRLCK, fcntl.LOCK_UN: fcntl.F_UNLCK}
        fcntl.fcntl(fd, F_OFD_SETLKW, struct.pack("hhqqi4x", kinds[kind], 0, 0, 0, 0))
    else:
        fcntl.flock(fd, kind)


def count(f):
    f.seek(0)
    d = json.load(f)
    d["hits"] += 1
    f.seek(0)
    f.truncate()
    json.dump(d, f)
    f.flush()


def by_size(fd):
    size = os.fstat(fd).st_size
    d = json.loads(os.pread(fd, size, 0))
    d["hits"] += 1
    text = json.dumps(d).encode()
    os.pwrite(fd, text, 0)
    os.ftruncate(fd, len(text))


if way == "kept-open":  # as TinyDB keeps its file
    with open(path, "r+") as f:
        for _ in range(rounds):
            lock(f.fileno(), fcntl.LOCK_EX)
            count(f)
            os.fsync(f.fileno())
            lock(f.fileno(), fcntl.LOCK_UN)
    sys.exit()
if way == "kept-open-unsynced":
    with open(path, "r+") as f:
        for _ in range(rounds):
            lock(f.fileno(), fcntl.LOCK_EX)
            count(f)
            lock(f.fileno(), fcntl.LOCK_UN)
    sys.exit()
for _ in range(rounds):
    with open(path, "r+") as f:
        lock(f.fileno(), fcntl.LOCK_EX)
        if way == "by-size":
            by_size(f.fileno())
        else:
            count(f)
        if way != "close":
            lock(f.fileno(), fcntl.LOCK_UN)
