"""Write, then cut what was there before."""
import os

fd = os.open("f.json", os.O_WRONLY)
os.write(fd, b'{"cut":1}' + b" " * 50)
os.ftruncate(fd, 9)
os.close(fd)
fd = os.open("g.json", os.O_RDWR)
os.ftruncate(fd, 0)
os.write(fd, b"[]")
os.close(fd)
