"""staged.py DIR: has content of registries staged by open files, says "ready", waits for a line, and goes
on. Prints what it finds, so that two runs can be compared."""

import os
import sys

os.chdir(sys.argv[1])
for name in ("cut.json", "empty.json", "numbers.json"):
    with open(name, "w") as f:
        f.write('{"old": true}')
cut = open("cut.json", "w")
cut.write('{"a": 1,')
cut.flush()
made = open("made.json", "w")
made.write('{"made"')
made.flush()
empty = open("empty.json", "w")
blank = open("blank.json", "x")
numbers = os.open("numbers.json", os.O_RDWR | os.O_TRUNC)
os.write(numbers, b'{"n": 123456789}')

print("ready", flush=True)
sys.stdin.readline()

print(os.fstat(cut.fileno()).st_size)
cut.write(' "b": 2}')
cut.close()
print(open("cut.json").read())
made.write(": 2}")
made.close()
print(open("made.json").read())
empty.write('{"full": true}')
empty.close()
print(open("empty.json").read())
blank.write('{"written": true}')
blank.close()
print(open("blank.json").read())
print(os.pread(numbers, 20, 0))
os.ftruncate(numbers, 8)
os.pwrite(numbers, b"}", 8)
os.fsync(numbers)
print(open("numbers.json").read())
os.pwrite(numbers, b'{"n": 2}', 0)
os.ftruncate(numbers, 8)
os.close(numbers)
print(open("numbers.json").read())
