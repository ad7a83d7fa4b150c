"""A program removes a file that it has open for writing, and goes on writing. Another program
that has the file open still reads what was written, once that is saved."""
import os


class Reader:
    """A process that has a file open for reading."""

    def __init__(self, name):
        self.ask, asked = os.pipe(), os.pipe()
        self.told = asked[0]
        if os.fork() == 0:
            fd = os.open(name, os.O_RDONLY)
            while True:
                os.write(asked[1], repr((os.pread(fd, 1000, 0), os.fstat(fd).st_size)).encode())
                if os.read(self.ask[0], 1) != b"?":
                    os._exit(0)
        self.first = os.read(self.told, 4000).decode()

    def read(self):
        os.write(self.ask[1], b"?")
        return os.read(self.told, 4000).decode()

    def end(self):
        os.write(self.ask[1], b".")
        os.wait()


def removed(what, change, text='{"old":1}', flags=os.O_RDWR, early=None):
    with open("a.json", "w", encoding="utf-8") as f:
        f.write(text)
    reader = Reader("a.json")
    fd = os.open("a.json", flags)
    if early:
        os.pwrite(fd, early, 0)
    os.unlink("a.json")
    change(fd)
    os.close(fd)
    print(what, reader.first, reader.read(), os.listdir("."))
    reader.end()


def emptied(fd):
    os.ftruncate(fd, 0)


def synced(fd):
    os.pwrite(fd, b'{"synced":1}', 0)
    os.fsync(fd)
    os.pwrite(fd, b'{"closed":1}', 0)


os.mkdir("own")
os.chdir("own")
removed("longer", lambda fd: os.pwrite(fd, b'{"new":12345}', 0))
removed("shorter", lambda fd: (os.pwrite(fd, b"[1]", 0), os.ftruncate(fd, 3)))
removed("no document", lambda fd: os.pwrite(fd, b'{"new', 0))
removed("appended", lambda fd: os.write(fd, b" "), flags=os.O_WRONLY | os.O_APPEND)
removed("emptied", emptied)
removed("synced, then written", synced)
removed("placeholder", lambda fd: os.pwrite(fd, b"[2]", 0), text="")
removed("written before", lambda fd: None, early=b'{"new":1}')
removed("not written", lambda fd: None)
