"""events.py file|directory FILE: watches FILE, or its directory, with inotify, and prints
what it hears of FILE, an event a line."""

import ctypes
import os
import struct
import sys

NAMES = {
    0x2: "MODIFY",
    0x4: "ATTRIB",
    0x8: "CLOSE_WRITE",
    0x40: "MOVED_FROM",
    0x80: "MOVED_TO",
    0x100: "CREATE",
    0x200: "DELETE",
    0x400: "DELETE_SELF",
    0x800: "MOVE_SELF",
}

what, path = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
target = (path if what == "file" else os.path.dirname(path)).encode()
if libc.inotify_add_watch(fd, target, sum(NAMES)) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print("ready", flush=True)
while True:
    events = os.read(fd, 1 << 16)
    while events:
        _, bits, _, length = struct.unpack_from("iIII", events)
        name = events[16 : 16 + length].rstrip(b"\0").decode()
        events = events[16 + length :]
        if bits & sum(NAMES) and (what == "file" or name == os.path.basename(path)):
            print(NAMES[bits & sum(NAMES)], flush=True)
