"""sized.py FILE TURNS HOW...: reads FILE, looks it up by its name, asks the descriptor for
the size, and reads so much in one go, after another process has written a longer or a
shorter document by a rename or in-place. With in-place also a document as long, which is
read unasked, and by a child that has inherited the descriptor. Prints how often that was no
whole document, and how often a reading after that did not show the newest one."""

import json
import os
import subprocess
import sys

path, turns, ways = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
WRITER = """
import os, subprocess, sys, time
for line in sys.stdin:
    path, how, text = line.rstrip("\\n").split("\\t")
    if how == "asked":  # the kernel at times asks in the middle of an open, too
        subprocess.run(["stat", "--cached=never", path], stdout=subprocess.DEVNULL, check=True)
    if how == "opened":  # it asks by what it has opened itself, once the kernel does not answer
        with open(path) as f:
            time.sleep(0.05)
            os.fstat(f.fileno())
    target = path + ".tmp" if how == "rename" else path
    with open(target, "w") as f:
        f.write(text)
    if target != path:
        os.replace(target, path)
    print(flush=True)
"""
CHILD = """
import os, sys
fd = int(sys.argv[1])
size = os.fstat(fd).st_size
print(size, flush=True)
sys.stdin.readline()
sys.stdout.buffer.write(os.pread(fd, size, 0))
"""
writer = subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def replace(how, n):
    text = json.dumps({"n": n, "padding": "x" * (3000 if n % 2 == 0 else 10)})
    print(path, how, text, sep="\t", file=writer.stdin, flush=True)
    writer.stdout.readline()


torn = old = 0
for how in ways:
    replace("in-place", 0)
    for n in range(1, turns + 1):
        fd = os.open(path, os.O_RDONLY)
        while os.read(fd, 1 << 16):
            pass
        os.stat(path)
        size = os.fstat(fd).st_size
        replace(how, n)
        text = os.pread(fd, size, 0)
        try:
            torn += len(text) != size or json.loads(text)["n"] != n - 1
        except ValueError:
            torn += 1
        if how == "in-place":
            os.lseek(fd, 0, os.SEEK_SET)
            old += json.loads(os.read(fd, 1 << 16))["n"] != n
        os.close(fd)
if "in-place" in ways:
    for how in "in-place", "asked", "opened":  # the newest has the size that the open may have told
        for n in range(0, 8, 2):
            replace("in-place", n)
            fd = os.open(path, os.O_RDONLY)
            size = len(os.read(fd, 1 << 16))
            replace(how, n + 2)
            old += json.loads(os.pread(fd, size, 0))["n"] != n + 2
            os.close(fd)
    asked = 0
    for n in range(5):  # a child asks by a descriptor that it has inherited
        replace("in-place", 0)
        fd = os.open(path, os.O_RDONLY)
        while os.read(fd, 1 << 16):
            pass
        replace("in-place", 1)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(fd)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[fd]
        )
        size = int(child.stdout.readline())
        replace("in-place", 2)
        text, _ = child.communicate(b"\n")
        try:
            shown = json.loads(text)["n"]
            asked += size < 100 and shown == 1
            torn += size < 100 and shown != 1
        except ValueError:
            torn += 1
        os.close(fd)
    old += asked < 3  # the kernel, which has its own attributes for a moment, may have answered the others
writer.stdin.close()
writer.wait()
print(torn, old)
