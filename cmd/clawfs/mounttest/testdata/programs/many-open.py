"""many-open.py DIR N: opens N descriptors on the registries r0.json to r99.json
of DIR for reading, reads each, and says so; when its standard input ends it reads
each again, which holds something newer by then, and closes them."""

import os
import resource
import sys

directory, n = sys.argv[1], int(sys.argv[2])
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
opened = [os.open(f"{directory}/r{i % 100}.json", os.O_RDONLY) for i in range(n)]
for fd in opened:
    assert os.pread(fd, 100, 0) == b'{"version": 1}'
print("open", flush=True)
sys.stdin.read()
for fd in opened:
    assert os.pread(fd, 100, 0) == b'{"version": 2}'
    os.close(fd)
