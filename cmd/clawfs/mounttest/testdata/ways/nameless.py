"""O_TMPFILE, given a name when it is whole."""
import os

fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
os.write(fd, b'{"nameless": ')
os.write(fd, b"true}")
os.link(f"/proc/self/fd/{fd}", "new.json", src_dir_fd=fd)
os.close(fd)
fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
os.write(fd, b"thrown away")
os.close(fd)
