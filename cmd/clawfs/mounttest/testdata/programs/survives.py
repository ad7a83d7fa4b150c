"""survives.py KIND FILE NAME STOP: does one kind of work on FILE, over and over, until there is a file STOP. Prints how
often it has done it: all of its calls have succeeded.

patch    adds a member to the object in FILE by a descriptor that is open for reading and writing
kept     adds members by one descriptor that stays open, and is synced
lines    appends a line to FILE, which is JSON lines, by a descriptor that stays open
appends  appends a line to FILE, which is a plain file, by a descriptor that stays open
reads    reads FILE, whose object never loses a member
holds    reads FILE by a descriptor that stays open
flock    adds one to the number in FILE, with a lock on the file itself
mkdir, link, excl  … with a lock of another name"""

import errno
import fcntl
import json
import os
import random
import sys
import time

kind, file, name, stop = sys.argv[1:]
done = 0


def pause():
    time.sleep(random.random() / 50)


def patch(f):
    members = json.load(f)
    members[f"{name}-{done}"] = done
    text = json.dumps(members)
    f.seek(0)
    f.write(text[: len(text) // 2])
    f.flush()
    pause()
    f.write(text[len(text) // 2 :])
    f.truncate()


def take():
    """takes the lock of another name, and returns how to give it back"""
    lock = file + ".lock"
    while True:
        try:
            if kind == "mkdir":
                os.mkdir(lock)
                return lambda: os.rmdir(lock)
            if kind == "link":
                own = f"{lock}.{name}"
                with open(own, "w") as f:
                    f.write(name)
                try:
                    os.link(own, lock)
                finally:
                    os.unlink(own)
            else:
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            return lambda: os.unlink(lock)
        except FileExistsError:
            time.sleep(0.002)


def count():
    with open(file) as f:
        n = json.load(f)["n"]
    with open(file, "w") as f:
        f.write('{"n": ')
        f.flush()
        f.write(f"{n + 1}}}")


if kind in ("lines", "appends"):
    out = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
if kind in ("holds", "kept"):
    held = open(file, "r+" if kind == "kept" else "r")
most = 0
while not os.path.exists(stop):
    match kind:
        case "patch":
            with open(file, "r+") as f:
                patch(f)
        case "kept":
            held.seek(0)
            patch(held)
            held.flush()
            os.fsync(held.fileno())
        case "lines" | "appends":
            line = json.dumps({"id": f"{name}-{done}"}).encode() + b"\n"
            assert os.write(out, line) == len(line)
        case "reads" | "holds":
            if kind == "holds":
                held.seek(0)
                members = json.load(held)
            else:
                with open(file) as f:
                    members = json.load(f)
            assert len(members) >= most, (len(members), most)
            most = len(members)
        case "flock":
            with open(file, "r+") as f:
                fcntl.flock(f, fcntl.LOCK_EX)
                n = json.load(f)["n"]
                f.seek(0)
                f.write(json.dumps({"n": n + 1}))
                f.truncate()
                f.flush()
                os.fsync(f.fileno())
        case _:
            give = take()
            count()
            give()
    done += 1
    pause()
print(done)
