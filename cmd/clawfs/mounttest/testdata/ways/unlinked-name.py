"""A registry with two names is open for writing, and the name that it was opened by is
removed. What is written then is read by the other name."""
import os
import subprocess


def by_itself(name):
    os.unlink(name)


def by_another(name):
    subprocess.run(["rm", name], check=True)


def write(name, text):
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)


def opened(flags=os.O_RDWR, name="a.json"):
    for old in os.listdir("."):
        os.unlink(old)
    write("a.json", '{"old":1}')
    os.link("a.json", "b.json")
    return os.open(name, flags)


def shown(what, fd=None):
    names = []
    for name in sorted(os.listdir(".")):
        with open(name, encoding="utf-8") as f:
            names.append((name, f.read(), os.stat(name).st_nlink))
    print(what, names, *[(os.fstat(fd).st_size, os.fstat(fd).st_nlink)] if fd is not None else [])


os.mkdir("two")
os.chdir("two")
for remove in by_itself, by_another:
    for look in False, True:
        fd = opened()
        if look:
            open("b.json").close()
        remove("a.json")
        os.pwrite(fd, b'{"new":12}', 0)
        os.close(fd)
        shown("whole")
        fd = opened()
        os.pwrite(fd, b'{"new":12}', 0)
        remove("a.json")
        os.close(fd)
        shown("staged")
        fd = opened()
        os.pwrite(fd, b'{"new":', 0)
        remove("a.json")
        os.pwrite(fd, b"12}", 7)
        os.close(fd)
        shown("half of it before")
        fd = opened(os.O_WRONLY | os.O_TRUNC)
        remove("a.json")
        os.write(fd, b'{"new":12}')
        os.close(fd)
        shown("truncated")
        fd = opened(name="b.json")
        remove("a.json")
        os.pwrite(fd, b'{"new":12}', 0)
        os.close(fd)
        shown("by the name that stays")
        fd = opened()
        remove("a.json")
        write("a.json", '{"third":1}')
        os.pwrite(fd, b'{"new":1200}', 0)
        os.close(fd)
        shown("made anew")
        fd = opened()
        remove("a.json")
        os.rename("b.json", "c.json")
        os.pwrite(fd, b'{"new":1200}', 0)
        os.close(fd)
        shown("renamed")
        fd = opened()
        remove("a.json")
        os.pwrite(fd, b'{"new":12}', 0)
        os.fsync(fd)
        shown("synced", fd)
        os.pwrite(fd, b'{"new":13}', 0)
        os.close(fd)
        shown("and written again")
for old in os.listdir("."):
    os.unlink(old)
