"""All who open a file that is being created get one lock."""
import fcntl
import os
import subprocess
import sys

OTHER = """
import fcntl, os, sys
how, flags, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
fd = os.open(name, flags, 0o644)
try:
    if how == "flock": fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("locked", end=" ")
except BlockingIOError:
    print("busy", end=" ")
if flags & os.O_ACCMODE != os.O_WRONLY:
    print(os.read(fd, 100), end=" ")
print(os.fstat(fd).st_ino == int(sys.argv[4]), flush=True)
"""


def other(how, flags, name, number):
    print(how, oct(flags), end=" ", flush=True)
    subprocess.run([sys.executable, "-c", OTHER, how, str(flags), name, str(number)], check=True)


for how in ("flock", "lockf"):
    name = f"{how}.json"
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    (fcntl.flock if how == "flock" else fcntl.lockf)(fd, fcntl.LOCK_EX)
    number = os.fstat(fd).st_ino
    for said in (b"", b"12345\n"):
        os.write(fd, said)
        other(how, os.O_RDWR, name, number)
        other(how, os.O_RDWR | os.O_CREAT, name, number)
        other(how, os.O_WRONLY | os.O_CREAT, name, number)
        if how == "flock":
            other(how, os.O_RDONLY, name, number)
            other(how, os.O_RDONLY | os.O_CREAT, name, number)
    print(open(name, encoding="utf-8").read(), os.stat(name).st_size)
    os.close(fd)
    other(how, os.O_RDWR, name, number)
# Several that have come before anybody had closed it, or locked it.
first = os.open("race.json", os.O_RDWR | os.O_CREAT, 0o644)
child = os.fork()
if child == 0:
    second = os.open("race.json", os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(second, fcntl.LOCK_EX)
    other("flock", os.O_RDWR, "race.json", os.fstat(second).st_ino)
    os._exit(0)
os.waitpid(child, 0)
os.close(first)
