"""Looks at directories, and makes them, for the tester.

It is nobody's relative: what it looks at is no view of the programs that are
compared. A line on standard input is a JSON list of an operation and its paths;
the answer is one line.
"""
import json
import os
import stat
import sys


def entry(path):
    info = os.lstat(path)
    found = {"mode": "%o" % info.st_mode}
    if stat.S_ISLNK(info.st_mode):
        found["link"] = os.readlink(path)
    elif stat.S_ISREG(info.st_mode):
        if not path.endswith(".tar"):  # which holds the times of what is in it
            with open(path, encoding="utf-8", errors="surrogateescape") as f:
                found["content"] = f.read()
        found["size"] = info.st_size
    return found


def look(top):
    entries = {}

    def walk(directory, prefix):
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            try:
                entries[prefix + name] = entry(path)
                if os.path.isdir(path) and not os.path.islink(path) and name != ".git":
                    walk(path, prefix + name + "/")
            except OSError as e:
                entries[prefix + name] = {"error": e.strerror}

    walk(top, "")
    return entries


for line in sys.stdin:
    operation, paths = json.loads(line)
    if operation == "make":
        for path in paths:
            os.mkdir(path)
        print("[]", flush=True)
    else:
        print(json.dumps([look(path) for path in paths]), flush=True)
