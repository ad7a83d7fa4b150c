"""Who writes without the right to keep them takes setuid and setgid away, at once."""
import ctypes
import os
import sys

CAP_FSETID, PR_CAPBSET_DROP = 4, 24
if len(sys.argv) == 1:
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_FSETID, 0, 0, 0)  # of root; others haven't got it
    os.execv(sys.executable, [sys.executable, __file__, "without"])


def mode(of):
    return "%o" % (os.stat(of).st_mode & 0o7777)


def refused(f):
    os.write(f, b"x")
    print(mode(f))
    os.pwrite(f, b"{}", 0)
    os.ftruncate(f, 2)


for name, change in {
    "write": lambda f: os.write(f, b'{"n": 3, "m": 4}\n'),
    "append": lambda f: os.pwrite(f, b"\n", os.fstat(f).st_size),
    "cut": lambda f: os.ftruncate(f, os.fstat(f).st_size - 1),
    "refused": refused,
    "nothing": lambda f: None,
}.items():
    for bits in 0o6755, 0o1755:
        with open("f.json", "w", encoding="utf-8") as f:
            f.write('{"n": 1, "m": 2}\n')
        os.chmod("f.json", bits)
        f = os.open("f.json", os.O_RDWR)
        change(f)
        print(name, mode(f), mode("f.json"))
        os.close(f)
        print(mode("f.json"))
os.chmod("f.json", 0o6755)
os.truncate("f.json", 16)
print("by name", mode("f.json"))
os.chmod("f.json", 0o6755)
f = os.open("f.json", os.O_WRONLY | os.O_TRUNC)
print("emptied", mode("f.json"))
os.write(f, b"[]")
os.close(f)
print(mode("f.json"))
