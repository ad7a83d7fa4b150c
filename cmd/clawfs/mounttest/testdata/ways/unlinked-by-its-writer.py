"""A registry has another name that is no registry's. A program removes the registry's name
while it has that open for writing: what it writes then is read by the other name."""
import os


def opened(flags=os.O_RDWR, text='{"old":1}'):
    for old in os.listdir("."):
        os.unlink(old)
    with open("a.json", "w", encoding="utf-8") as f:
        f.write(text)
    os.link("a.json", "kept")
    return os.open("a.json", flags)


def shown(what, fd=None):
    names = []
    for name in sorted(os.listdir(".")):
        with open(name, encoding="utf-8") as f:
            names.append((name, f.read(), os.stat(name).st_size, os.stat(name).st_nlink))
    print(what, names, *[(os.fstat(fd).st_size, os.fstat(fd).st_nlink)] if fd is not None else [])


os.mkdir("own")
os.chdir("own")
for text in '{"old":1}', "":
    fd = opened(text=text)
    os.unlink("a.json")
    os.pwrite(fd, b'{"new":12}', 0)
    os.close(fd)
    shown("whole")
    fd = opened(text=text)
    os.pwrite(fd, b'{"new":12}', 0)
    os.unlink("a.json")
    os.close(fd)
    shown("staged")
    fd = opened(os.O_WRONLY | os.O_TRUNC, text)
    os.unlink("a.json")
    os.close(fd)
    shown("emptied")
    fd = opened(text=text)
    os.unlink("a.json")
    os.ftruncate(fd, 0)
    os.pwrite(fd, b"[1", 0)
    os.fsync(fd)
    shown("no document, synced", fd)
    os.pwrite(fd, b"]", 2)
    other = os.dup(fd)
    os.close(fd)
    shown("closed once")
    with open("kept", "a", encoding="utf-8") as f:
        f.write("\n")
    os.close(other)
    shown("written by others since")
    fd = opened(text=text)
    os.unlink("a.json")
    os.close(fd)
    shown("not written")
for old in os.listdir("."):
    os.unlink(old)
