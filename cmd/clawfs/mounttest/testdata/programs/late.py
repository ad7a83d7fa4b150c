"""late.py FILE: has a process write FILE while a child still reads an older version, by a
descriptor that it has inherited."""

import os
import subprocess
import sys

path = sys.argv[1]
WRITER = """
import sys
for line in sys.stdin:
    path, text = line.rstrip("\\n").split("\\t")
    with open(path, "w") as f:
        f.write(text)
    print(flush=True)
"""
CHILD = """
import os, sys
fd = int(sys.argv[1])
size = os.fstat(fd).st_size
print(flush=True)
sys.stdin.readline()
os.pread(fd, size, 0)
"""
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
writer = subprocess.Popen([sys.executable, "-c", WRITER], **pipes)


def replace(text):
    print(path, text, sep="\t", file=writer.stdin, flush=True)
    writer.stdout.readline()


replace('{"n": 100}')
fd = os.open(path, os.O_RDONLY)
os.read(fd, 1 << 16)
replace('{"n": 2}')
child = subprocess.Popen([sys.executable, "-c", CHILD, str(fd)], pass_fds=[fd], **pipes)
child.stdout.readline()
replace('{"n": 300}')
child.communicate("\n")
writer.communicate()
