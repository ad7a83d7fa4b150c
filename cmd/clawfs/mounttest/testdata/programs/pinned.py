"""pinned.py FILE: opens copies of FILE, reads a little, and has others change them: write something
shorter and something longer in place and by rename, truncate and remove it. Prints where
the rest, the size or a mapping is not of the version in which the reading began; and
where a reading that begins anew then does not show what a bare directory shows."""

import mmap
import os
import subprocess
import sys

with open(sys.argv[1], "rb") as f:
    want = f.read()


def check(when, fd, start, mapped):
    if os.fstat(fd).st_size != len(want):
        print(f"fstat says {os.fstat(fd).st_size} {when}")
    if start + os.pread(fd, 1 << 20, 100) != want:
        print(f"another rest {when}")
    if mapped[:] != want:
        print(f"another content in the mapping {when}")


for number, (when, script) in enumerate({
    "after a shorter one in place": 'echo "[]" > "$1"',
    "after a longer one in place": '{ echo "["; seq -s, 1 100000; echo "]"; } > "$1"',
    "after truncate": 'echo "[1]                    " > "$1"; truncate -s 3 "$1"',
    "after a shorter one by rename": 'echo "[1]" > "$1.tmp"; mv "$1.tmp" "$1"',
    "after rm": 'rm "$1"',
    "after it was created anew": 'rm "$1"; echo "[2]" > "$1"',
}.items()):
    path = f"{number}.json"
    with open(path, "wb") as f:
        f.write(want)
    fd = os.open(path, os.O_RDONLY)
    start = os.read(fd, 100)
    mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)
    subprocess.run(["bash", "-c", script, "bash", path], check=True)
    check(when, fd, start, mapped)
    same = os.path.exists(path) and os.stat(path).st_ino == os.fstat(fd).st_ino
    if same != (when.endswith("in place") or when == "after truncate"):
        print(f"another file {when}")
    anew = os.pread(fd, 1 << 20, 0)
    if same:
        with open(path, "rb") as f:
            new = f.read()
    else:
        new = want
    if anew != new or os.fstat(fd).st_size != len(new):
        print(f"another content anew {when}")
    mapped.close()
    os.close(fd)
