"""remaps.py FILE: prints a mapping of FILE by a descriptor for reading and writing, after
another process has written less than what was read by it."""

import mmap
import os
import subprocess
import sys

path = sys.argv[1]
with open(path, "w") as f:
    f.write('{"long": "something that takes more than the other one"}\n')
fd = os.open(path, os.O_RDWR)
os.read(fd, 1 << 16)
subprocess.run(["sh", "-c", 'echo \'{"short": 1}\' >"$0"', path], check=True)
with mmap.mmap(fd, os.fstat(fd).st_size, prot=mmap.PROT_READ) as m:
    print(m[:].decode(), end="")
