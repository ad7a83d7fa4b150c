"""nested.py HOW FILE LEVELS: writes that many nested lists to FILE, in place or
by rename, and prints the name of the error that it gets."""

import errno
import os
import sys

how, path, levels = sys.argv[1], sys.argv[2], int(sys.argv[3])
text = b"[" * levels + b"]" * levels
target = path if how == "in-place" else path + ".tmp"
try:
    with open(target, "wb") as f:
        f.write(text)
    if how == "rename":
        os.replace(target, path)
    print("none")
except OSError as err:
    print(errno.errorcode[err.errno])
    if how == "rename":
        os.unlink(target)
