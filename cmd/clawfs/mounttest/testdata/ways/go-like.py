"""As Go's renameio and most careful programs save: temporary file, fsync, chmod,
chown, rename, fsync of the directory."""
import os
import tempfile

fd, name = tempfile.mkstemp(prefix=".f.json", dir=".")
os.write(fd, b'{"careful": true}')
os.fchmod(fd, 0o640)
os.fchown(fd, -1, -1)
os.fsync(fd)
os.close(fd)
os.replace(name, "f.json")
fd = os.open(".", os.O_RDONLY)
os.fsync(fd)
os.close(fd)
