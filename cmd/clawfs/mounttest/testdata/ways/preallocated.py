"""Room is allocated before the document is written, as by posix_fallocate."""
import errno
import os

for name in "f.json", "new.json":
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.posix_fallocate(fd, 0, 4096)
    except OSError as err:
        if err.errno != errno.EOPNOTSUPP:
            raise
    os.write(fd, b'{"preallocated": true}')
    os.ftruncate(fd, 22)
    os.close(fd)
