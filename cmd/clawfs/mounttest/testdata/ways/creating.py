"""A file that is being created exists for its creator, and for who creates exclusively."""
import ctypes
import errno
import os
import pathlib
import tempfile

libc = ctypes.CDLL(None, use_errno=True)


def rename_noreplace(old, new):
    if libc.renameat2(-100, old.encode(), -100, new.encode(), 1) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def nameless(name):
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, b"{}")
    try:
        if libc.linkat(-100, f"/proc/self/fd/{fd}".encode(), -100, name.encode(), 0x400) != 0:
            raise OSError(ctypes.get_errno(), "linkat")
    finally:
        os.close(fd)


def by_another(act):
    """Says how it ends in another process."""
    child = os.fork()
    if child == 0:
        try:
            act()
            print("done", flush=True)
        except OSError as err:
            print(errno.errorcode[err.errno], flush=True)
        os._exit(0)
    os.waitpid(child, 0)


f = open("p.json", "w", encoding="utf-8")
print(sorted(os.listdir(".")), os.path.exists("p.json"), os.stat("p.json").st_size)
f.write('{"a": 1}')
f.flush()
print(os.stat("p.json").st_size, os.fstat(f.fileno()).st_size)
os.fchmod(f.fileno(), 0o640)
os.utime("p.json", (5, 5))
print(oct(os.stat("p.json").st_mode))
os.rename("p.json", "q.json")
print(os.path.exists("p.json"), pathlib.Path("q.json").read_text())
f.close()
print(os.path.exists("p.json"), pathlib.Path("q.json").read_text())

for name, act in {
    "open": lambda: os.open("x.json", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    "mkdir": lambda: os.mkdir("x.json"),
    "symlink": lambda: os.symlink("a", "x.json"),
    "link": lambda: os.link("g.json", "x.json"),
    "link of a plain file": lambda: os.link("plain", "x.json"),
    "link of a nameless file": lambda: nameless("x.json"),
    "mknod": lambda: os.mknod("x.json"),
    "fifo": lambda: os.mkfifo("x.json"),
    "rename": lambda: rename_noreplace("g.json", "x.json"),
    "rename of a plain file": lambda: rename_noreplace("plain", "x.json"),
    "rename of a directory": lambda: rename_noreplace("dir", "x.json"),
}.items():
    pathlib.Path("plain").write_text("{}")
    os.makedirs("dir", exist_ok=True)
    fd = os.open("x.json", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    print(name, end=": ", flush=True)
    by_another(act)
    os.close(fd)
    print(name, "when it is closed", end=": ", flush=True)
    by_another(act)
    os.unlink("x.json")

try:
    pathlib.Path("q.json").touch(exist_ok=False)
except FileExistsError:
    print("exists")
fd, name = tempfile.mkstemp(suffix=".json", dir=".")
os.write(fd, b'{"t": 1}')
os.rename(name, "state.json")
os.close(fd)
with tempfile.NamedTemporaryFile("w", suffix=".json", dir=".", delete=False) as t:
    t.write('{"t": 2}')
    t.flush()
    os.replace(t.name, "state.json")
print(pathlib.Path("state.json").read_text())
with open("d.json", "w", encoding="utf-8") as f:
    os.unlink("d.json")
    f.write("{}")
print(os.path.exists("d.json"))
with open("w.json", "w", encoding="utf-8") as f:
    f.write("x")
    f.flush()
    f.truncate(0)
print(os.stat("w.json").st_size)
