"""A descriptor open for writing shows what was written to it; others, nothing."""
import os

fd = os.open("f.json", os.O_RDWR | os.O_TRUNC)
os.write(fd, b'{"mine": true, ')
print(os.pread(fd, 100, 0), os.fstat(fd).st_size, os.lseek(fd, 0, os.SEEK_END))
os.write(fd, b'"whole": 1}')
print(os.pread(fd, 100, 0), os.fstat(fd).st_size)
os.lseek(fd, 3, os.SEEK_SET)
print(os.read(fd, 5))
os.close(fd)
with open("g.json", "w+", encoding="utf-8") as f:
    f.write("[1,2]")
    f.seek(0)
    print(f.read())
