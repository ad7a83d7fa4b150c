"""mapped.py valid|invalid FILE: changes FILE through a writable shared mapping,
syncs it and closes. Prints the error that mmap has, or that it went through, and
what others saw before the close."""

import errno
import mmap
import os
import subprocess
import sys

how, path = sys.argv[1:]
fd = os.open(path, os.O_RDWR)
try:
    m = mmap.mmap(fd, 0)
except OSError as err:
    print(errno.errorcode[err.errno])
    sys.exit(0)
at = m.find(b"claude")
m[at : at + 6] = b"CLAUDE" if how == "valid" else b'""""""'
try:
    m.flush()
    seen = subprocess.run(["cat", path], check=True, capture_output=True).stdout
    m.close()
    os.close(fd)
    print("mapped", seen)
except OSError as err:
    print("mapped", errno.errorcode[err.errno])
