"""outlives.py DIR: opens what a program may have open, says "ready", waits for a line, and
goes on with it. Prints what it finds, so that two runs can be compared."""

import fcntl
import mmap
import os
import sys

os.chdir(sys.argv[1])
os.makedirs("sub/deep")
with open("sub/deep/read.txt", "w") as f:
    f.write("0123456789" * 10)
for i in range(300):
    open(f"sub/deep/n{i}", "w").close()
with open("state.json", "w") as f:
    f.write('{"n": 1}')
registry = open("state.json", "rb", buffering=0)
begun = registry.read(3)
again = open("state.json", "rb", buffering=0)
again.read()
with open("lock.json", "w") as f:
    f.write("{}")
keeper = open("lock.json", "r+")
fcntl.flock(keeper, fcntl.LOCK_EX)
os.chdir("sub/deep")
reader = open("read.txt", "rb")
first = reader.read(5)
appender = open("log.txt", "a")
appender.write("one\n")
appender.flush()
both = open("both.bin", "w+b")
both.write(b"x" * 9000)
both.flush()
locked = open("lock", "w")
fcntl.flock(locked, fcntl.LOCK_EX)
fcntl.lockf(both, fcntl.LOCK_EX, 10)
mapped = mmap.mmap(both.fileno(), 9000)
renamed = open("old-name", "w")
linked = open("link-a", "w")
os.link("link-a", "link-b")
os.unlink("link-a")
os.mkdir("moved")
inside = open("moved/inside", "w")
os.rename("moved", "moved-away")
os.rename("old-name", "new-name")
readonly = os.open("readonly", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
listing = os.scandir(".")
names = {next(listing).name for _ in range(20)}
before = os.stat("read.txt")

print("ready", flush=True)
sys.stdin.readline()

print(first + reader.read(5), os.fstat(reader.fileno()).st_size, os.fstat(reader.fileno()).st_ino == before.st_ino)
appender.write("two\n")
appender.flush()
print(open("log.txt").read().split())
both.seek(100)
both.write(b"new")
both.flush()
print(bytes(mapped[98:105]))
mapped[0:3] = b"map"
mapped.flush()
both.seek(0)
print(both.read(5))
try:
    fcntl.flock(open("lock"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("a second lock")
except OSError as err:
    print("locked", err.errno)
for f, name in ((renamed, "new-name"), (linked, "link-b"), (inside, "moved-away/inside")):
    f.write("still open")
    f.close()
    print(name, open(name).read())
os.write(readonly, b"read only")
os.close(readonly)
print(open("readonly").read())
names |= {e.name for e in listing}
print(len(names), sorted(names)[:3], os.path.basename(os.getcwd()))
os.mkdir("made")
os.rmdir("made")
try:
    os.mkdir("moved-away")
except FileExistsError:
    print("it exists")
os.ftruncate(both.fileno(), 50)
os.fsync(both.fileno())
print(os.fstat(both.fileno()).st_size, os.path.getsize("both.bin"))
print(begun + registry.read(), os.fstat(registry.fileno()).st_size)
try:
    fcntl.flock(open("../../lock.json", "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("a second lock")
except OSError as err:
    print("locked", err.errno)
keeper.write('{"kept": true}')
keeper.close()
print(open("../../lock.json").read())
again.seek(0)
print(again.read(), open("../../state.json").read())
with open("../../state.json", "w") as f:
    f.write('{"n": 2}')
again.seek(0)
print(again.read(), open("../../state.json").read())
