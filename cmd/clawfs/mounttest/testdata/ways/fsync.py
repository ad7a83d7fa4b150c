"""fsync and fdatasync before close, once and again."""
import os

for name, sync in ("f.json", os.fsync), ("g.json", os.fdatasync), ("new.json", os.fsync):
    fd = os.open(name, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o644)
    os.write(fd, b"[1]")
    sync(fd)
    os.write(fd, b"   ")
    sync(fd)
    sync(fd)
    os.close(fd)
fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
os.fsync(fd)
os.close(fd)
fd = os.open("f.json", os.O_WRONLY | os.O_TRUNC | os.O_SYNC)
os.write(fd, b"[2]")
os.close(fd)
