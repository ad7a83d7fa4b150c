"""pinned.py FILE: opens FILE, reads a little, and has it replaced by others with
something shorter and something longer, in place and by rename, and removed.
Prints whether the descriptor showed the first version all the time."""

import mmap
import os
import subprocess
import sys

path = sys.argv[1]
with open(path, "rb") as f:
    want = f.read()
fd = os.open(path, os.O_RDONLY)
start = os.read(fd, 100)
mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)


def check(when):
    if os.pread(fd, 1 << 20, 0) != want:
        print(f"another content {when}")
    if start + os.pread(fd, 1 << 20, 100) != want:
        print(f"another rest {when}")
    if os.fstat(fd).st_size != len(want):
        print(f"fstat says {os.fstat(fd).st_size} {when}")
    if mapped[:] != want:
        print(f"another content in the mapping {when}")


check("at first")
for when, script in {
    "after a shorter one in place": 'echo "[]" > "$1"',
    "after a longer one in place": '{ echo "["; seq -s, 1 100000; echo "]"; } > "$1"',
    "after a shorter one by rename": 'echo "[1]" > "$1.tmp"; mv "$1.tmp" "$1"',
    "after truncate": 'truncate -s 3 "$1"',
    "after rm": 'rm "$1"',
    "after it was created anew": 'echo "[2]" > "$1"',
}.items():
    subprocess.run(["bash", "-c", script, "bash", path], check=True)
    check(when)
os.close(fd)
with open(path, encoding="utf-8") as f:
    print(f.read(), end="")
