"""counts.py HOW FILE N: N times reads a number from FILE and writes the next one,
under a lock: HOW is "file" (O_EXCL), "directory" (mkdir), "flock", "fcntl", or
"none"."""

import fcntl
import os
import sys
import time

how, path, n = sys.argv[1:]


def until(make):
    while True:
        try:
            return make()
        except FileExistsError:
            time.sleep(0.001)


def lock():
    if how == "file":
        os.close(until(lambda: os.open(path + ".lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)))
        return lambda: os.unlink(path + ".lock")
    if how == "directory":
        until(lambda: os.mkdir(path + ".lock"))
        return lambda: os.rmdir(path + ".lock")
    if how == "none":
        return lambda: None
    fd = os.open(path + ".lock", os.O_CREAT | os.O_RDWR, 0o644)
    (fcntl.flock if how == "flock" else fcntl.lockf)(fd, fcntl.LOCK_EX)
    return lambda: os.close(fd)


for _ in range(int(n)):
    unlock = lock()
    with open(path, encoding="utf-8") as f:
        number = int(f.read() or 0)
    time.sleep(0.0005)
    with open(path, "w", encoding="utf-8") as f:
        f.write(str(number + 1))
    unlock()
