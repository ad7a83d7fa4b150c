"""survives.py KIND FILE NAME STOP: does one kind of work on FILE, over and over, until there is a file STOP. Prints how
often it has done it: all of its calls have succeeded.

patch    adds a member to the object in FILE by a descriptor that is open for reading and writing
kept     adds members by one descriptor that stays open, and is synced
lines    appends a line to FILE, which is JSON lines, by a descriptor that stays open
appends  appends a line to FILE, which is a plain file, by a descriptor that stays open
reads    reads FILE, whose object never loses a member
holds    reads FILE by a descriptor that stays open
flock    adds one to the number in FILE, with a lock on the file itself
mkdir, link, excl  … with a lock of another name
cuts     truncates FILE, a plain file, and FILE.json, a registry, and sets an attribute, by their names
database commits to FILE, an SQLite database in WAL mode, by a connection that stays open
watched  changes FILE, and waits until a process that watches it has heard of that and read it"""

import ctypes
import fcntl
import json
import os
import random
import select
import signal
import sqlite3
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


def watch(heard):
    """tells by a pipe the number in the file, after each event"""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(0)
    if libc.inotify_add_watch(fd, file.encode(), 0x2 | 0x8) < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    os.write(heard, b"ready\n")
    while os.read(fd, 1 << 16):
        with open(file) as f:
            os.write(heard, b"%d\n" % json.load(f)["n"])


def begin_watch():
    with open(file, "w") as f:
        f.write('{"n": -1}')
    heard, tells = os.pipe()
    alone = os.getpid()
    if os.fork() == 0:
        os.close(heard)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # when the other process ends
        if os.getppid() == alone:
            watch(tells)
        os._exit(1)
    os.close(tells)
    lines = os.fdopen(heard, "rb", 0)
    assert lines.readline() == b"ready\n"
    return lines


def await_heard(n):
    while True:
        assert select.select([heard], [], [], 20)[0], f"{n} was not heard of"
        line = heard.readline()
        assert line, "the watcher has ended"
        if int(line) == n:
            return


if kind == "watched":
    heard = begin_watch()
if kind == "database":
    db = sqlite3.connect(file, timeout=60, isolation_level=None)
    assert db.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
    db.execute("CREATE TABLE IF NOT EXISTS rows (name TEXT, i INTEGER, PRIMARY KEY (name, i))")
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
        case "cuts":
            with open(file, "a") as f:
                f.write("twelve bytes")
            os.truncate(file, 6)
            os.setxattr(file, "user.n", b"%d" % done, os.XATTR_REPLACE if done else os.XATTR_CREATE)
            os.removexattr(file, "user.n")
            os.setxattr(file, "user.n", b"%d" % done, os.XATTR_CREATE)
            assert os.path.getsize(file) == 6
            text = json.dumps({"n": done})
            with open(file + ".json", "w") as f:
                f.write(text + " " * 8)
            os.truncate(file + ".json", len(text))
            with open(file + ".json") as f:
                assert f.read() == text
        case "database":
            db.execute("INSERT INTO rows VALUES (?, ?)", (name, done))
            assert db.execute("SELECT count(*) FROM rows WHERE name = ?", (name,)).fetchone() == (done + 1,)
        case "watched":
            with open(file, "w") as f:
                f.write(json.dumps({"n": done}))
            await_heard(done)
        case _:
            give = take()
            count()
            give()
    done += 1
    pause()
if kind == "database":
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
print(done)
