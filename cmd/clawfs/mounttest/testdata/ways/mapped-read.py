"""A registry is mapped for reading, shared and private."""
import mmap
import os

fd = os.open("f.json", os.O_RDONLY)
for flags in mmap.MAP_SHARED, mmap.MAP_PRIVATE:
    with mmap.mmap(fd, 0, flags=flags, prot=mmap.PROT_READ) as m:
        print(m[:])
with mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE) as m:
    m[0:1] = b"["  # in this process's memory only
os.close(fd)
