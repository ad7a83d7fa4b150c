"""renameat2: exchange two registries, refuse to replace one."""
import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)


def renameat2(old, new, flags):
    if libc.renameat2(-100, old.encode(), -100, new.encode(), flags) != 0:
        print(errno.errorcode[ctypes.get_errno()])


NOREPLACE, EXCHANGE = 1, 2
renameat2("f.json", "g.json", EXCHANGE)
renameat2("f.json", "g.json", NOREPLACE)
renameat2("f.json", "new.json", NOREPLACE)
renameat2("new.json", "missing.json", EXCHANGE)
