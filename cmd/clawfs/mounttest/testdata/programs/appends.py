"""appends.py FILE N NAME: appends N lines to FILE, each by an open of its own."""

import json
import os
import sys

path, n, name = sys.argv[1:]
for i in range(int(n)):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(fd, (json.dumps({"from": name, "line": i, "padding": "x" * (i % 300)}) + "\n").encode())
    os.close(fd)
