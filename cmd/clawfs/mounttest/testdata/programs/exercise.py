# exercise.py FILE SEED STEPS: changes a plain file in every way that there is, by two
# descriptors and a mapping, and compares each time what it holds with what it must
# hold: read by a descriptor that was open before, by one opened anew, and mapped.
# Prints "N steps", and says what differs and exits with 1 if something does.
import ctypes, mmap, os, random, sys

name, seed, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
LIMIT = 200_000
want = bytearray()
one = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
two = os.open(name, os.O_RDWR)
source = os.open(name + ".source", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(source, chance.randbytes(LIMIT))


def extend(end):
    if len(want) < end:
        want.extend(bytes(end - len(want)))


def put(offset, data):
    extend(offset + len(data))
    want[offset:offset + len(data)] = data


def span():
    offset = chance.randrange(LIMIT // 2)
    return offset, chance.choice([1, 100, 4096, 4097, chance.randrange(1, LIMIT // 2)])


def write():
    offset, size = span()
    data = chance.randbytes(size)
    assert os.pwrite(chance.choice([one, two]), data, offset) == size
    put(offset, data)


def append():
    data = chance.randbytes(chance.randrange(1, 3000))
    if len(want) + len(data) > LIMIT:
        return
    fd = os.open(name, os.O_WRONLY | os.O_APPEND)
    os.write(fd, data)
    os.close(fd)
    put(len(want), data)


def truncate():
    size = chance.choice([0, 1, 4096, chance.randrange(LIMIT)])
    chance.choice([lambda: os.ftruncate(one, size), lambda: os.truncate(name, size)])()
    extend(size)
    del want[size:]


def anew():
    data = chance.randbytes(chance.randrange(LIMIT))
    with open(name, "wb") as f:
        f.write(data)
    want[:] = data


def mapped():
    if not want:
        return
    with mmap.mmap(two, len(want)) as m:
        offset = chance.randrange(len(want))
        data = chance.randbytes(chance.randrange(1, len(want) - offset + 1))
        m[offset:offset + len(data)] = data
        if chance.random() < 0.5:
            m.flush()
    put(offset, data)


def directly():
    offset, size = 4096 * chance.randrange(20), 4096 * chance.randrange(1, 5)
    fd = os.open(name, os.O_WRONLY | os.O_DIRECT)
    with mmap.mmap(-1, size) as block:  # aligned
        block[:] = data = chance.randbytes(size)
        assert os.pwrite(fd, block, offset) == size
    os.close(fd)
    put(offset, data)


def copied():
    (offset, size), start = span(), chance.randrange(LIMIT // 2)
    done = 0
    while done < size:
        n = os.copy_file_range(source, two, size - done, start + done, offset + done)
        put(offset + done, os.pread(source, n, start + done))
        done += n


def copied_for_readers():
    """With nobody who could store to a mapping, as cp has it, beside one who reads."""
    global one, two
    os.close(one)
    os.close(two)
    reader, out = os.open(name, os.O_RDONLY), os.open(name, os.O_WRONLY)
    pages = mmap.mmap(reader, len(want), prot=mmap.PROT_READ) if want else None
    if want:
        compare("mapped before", pages[:])
    offset, size = span()
    n = os.copy_file_range(source, out, size, 0, offset)
    put(offset, os.pread(source, n, 0))
    compare("read by who was reading", os.pread(reader, LIMIT + 1, 0))
    if pages:
        before = len(pages)
        if pages[:] != want[:before]:
            sys.exit(f"step {step}: the mapping of who was reading shows something else")
        pages.close()
    os.close(reader)
    os.close(out)
    one, two = os.open(name, os.O_RDWR), os.open(name, os.O_RDWR)


def punched():
    offset, size = span()
    how = chance.choice([PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE])
    if libc.fallocate(one, how, offset, size) != 0:
        return  # not every file system has it
    if how == ZERO_RANGE:
        extend(offset + size)
    size = max(0, min(size, len(want) - offset))
    want[offset:offset + size] = bytes(size)


def renamed():
    os.rename(name, name + ".moved")
    os.link(name + ".moved", name)
    os.unlink(name + ".moved")


def touched():
    os.utime(name, (chance.randrange(2**30), chance.randrange(2**30)))


def compare(what, got):
    if got != want:
        first = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        sys.exit(f"step {step} ({change.__name__}), {what}: {len(got)} bytes, want {len(want)}; the first one that differs is {first}")


for step in range(steps):
    change = chance.choice([write, write, write, append, truncate, anew, mapped, directly, copied, copied_for_readers, punched, renamed, touched])
    change()
    how = chance.randrange(4)
    if how == 0:
        compare("read by a descriptor that was open", os.pread(one, LIMIT + 1, 0))
    elif how == 1:
        with open(name, "rb") as f:
            compare("read by a new descriptor", f.read())
    elif how == 2 and want:
        with open(name, "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
            compare("mapped", m[:])
os.fsync(one)
with open(name, "rb") as f:
    compare("at the end", f.read())
print(steps, "steps")
