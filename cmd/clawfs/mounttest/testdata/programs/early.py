"""Renames a temporary file onto a file while it has it open, and goes on writing.

early.py NAME FLAGS STEP...: FLAGS has a to append, r to read, too, j for a temporary file whose own
name is one of JSON. A step is mv, aside (renames to another temporary name), over (opens it once more and goes on with
that descriptor, the first one stays), link (gives the file the name, too), rm (removes the name), sync, cut (to nothing), kill (itself), stat (tells whether the
handle is of the file, and its size), read (tells what the handle reads), gone (tells of the temporary
names that are there), or text to write.
"""
import os
import signal
import sys

name, flags, steps = sys.argv[1], sys.argv[2], sys.argv[3:]
suffix = ".json" if "j" in flags else ""
temporary = name + ".tmp" + suffix
mode = os.O_CREAT | os.O_EXCL | (os.O_RDWR if "r" in flags else os.O_WRONLY)
fd = os.open(temporary, mode | (os.O_APPEND if "a" in flags else 0), 0o640)
for step in steps:
    if step == "mv":
        os.rename(temporary, name)
    elif step == "aside":
        os.rename(temporary, name + ".aside" + suffix)
        temporary = name + ".aside" + suffix
    elif step == "link":
        if os.path.exists(name):
            os.unlink(name)
        os.link(temporary, name)
    elif step == "rm":
        os.unlink(name)
    elif step == "over":
        fd = os.open(temporary, os.O_WRONLY)
    elif step == "gone":
        print(sorted(n for n in os.listdir() if n.startswith(name + ".")))
    elif step == "sync":
        os.fsync(fd)
    elif step == "cut":
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
    elif step == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif step == "stat":
        told = os.fstat(fd)
        print(os.path.exists(name) and told.st_ino == os.stat(name).st_ino, told.st_size, told.st_nlink)
        if not suffix:  # else whoever tells watchers may be told another size just then, which the kernel takes for all
            print(os.lseek(fd, 0, os.SEEK_END))
    elif step == "read":
        print(os.pread(fd, 1000, 0))
    else:
        os.write(fd, step.encode())
os.close(fd)
if os.path.exists(name):
    print(oct(os.stat(name).st_mode), os.stat(name).st_size)
