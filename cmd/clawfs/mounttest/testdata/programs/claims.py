"""claims.py WHAT DIR STOP: claims names in DIR again and again, as programs do by which they keep
each other out, until there is a file STOP. Every call must do what it does where nothing
happens. Prints how often that was."""

import os
import sys

what, home, stop = sys.argv[1:]
os.chdir(home)
i = 0


def mkdir():
    os.mkdir("lock")
    os.rmdir("lock")


def exclusive():
    os.close(os.open("pid", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.rename("pid", "other")
    os.unlink("other")


def queue():
    name = f"message-{i}"
    with open(name, "w") as f:
        f.write(name)
    os.link(name, "claimed")
    os.unlink(name)
    os.symlink(name, "sign")
    with open("claimed") as f:
        assert f.read() == name
    for left in ("claimed", "sign"):
        os.unlink(left)


def directories():
    os.makedirs("a/b")
    with open("a/b/f", "w") as f:
        os.rename("a", "c")
        f.write("here")
    with open("c/b/f") as f:
        assert f.read() == "here"
    os.unlink("c/b/f")
    os.removedirs("c/b")


def append():
    with open("log", "a") as f:
        print(i, file=f)


while not os.path.exists(stop):
    {"mkdir": mkdir, "exclusive": exclusive, "queue": queue, "directories": directories, "append": append}[what]()
    i += 1
if what == "append":
    with open("log") as f:
        assert [int(line) for line in f] == list(range(i))
print(i)
