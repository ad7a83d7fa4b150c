"""Several closes of one open file, in one process and in children."""
import os

fd = os.open("f.json", os.O_WRONLY | os.O_TRUNC)
os.write(fd, b"[1]")
os.close(os.dup(fd))
os.close(os.dup(fd))
with open("f.json", encoding="utf-8") as f:
    print(f.read())
os.write(fd, b"\n")
if os.fork() == 0:
    os.close(fd)
    os._exit(0)
os.wait()
os.close(fd)

fd = os.open("g.json", os.O_WRONLY | os.O_TRUNC)
os.write(fd, b'{"by": ')
if os.fork() == 0:  # a child that has nothing to do with it ends in mid stream
    os._exit(0)
os.wait()
os.write(fd, b'"parent"}')
os.close(fd)

fd = os.open("new.json", os.O_WRONLY | os.O_CREAT, 0o600)
if os.fork() == 0:  # a child does all the writing
    os.write(fd, b'{"by": "child"}')
    os._exit(0)
os.wait()
os.close(fd)
