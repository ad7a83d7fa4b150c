"""A byte at a time, out of order, over a hole, with O_APPEND."""
import os

text = b'{"pieces": [1, 2, 3], "of": "a document"}'
fd = os.open("f.json", os.O_WRONLY | os.O_TRUNC)
for i in range(len(text)):
    os.write(fd, text[i : i + 1])
os.close(fd)
fd = os.open("g.json", os.O_WRONLY | os.O_TRUNC)
os.pwrite(fd, text[20:], 20)
os.pwrite(fd, text[:20], 0)
os.close(fd)
fd = os.open("new.json", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
for part in (text[:10], text[10:]):
    os.lseek(fd, 0, os.SEEK_SET)
    os.write(fd, part)
os.close(fd)
