"""A program that keeps its registry in memory. It is told what to do, a line at
a time; a line is operations with "; " between them.

    edit.py DIR          lives: a line on standard input, an answer on standard output
    edit.py DIR "LINE"   does one line and ends

Operations: see OPS. Its sibling edit.mjs does the same in node.
"""
import errno
import json
import os
import sys

FIRST = {"entries": [{"id": "e0"}, {"id": "e1"}], "jobs": {"j1": {"cmd": "x"}, "j2": {"cmd": "y"}}, "debug": False, "port": 80}


def copyfile(path, to):
    import shutil  # which takes a while, and most lines do without

    shutil.copyfile(path, to)


class Program:
    def __init__(self, home):
        self.home = home
        self.doc = None
        self.kept = []

    def path(self, name):
        return os.path.join(self.home, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    # What is read and kept in memory, what is only looked at.
    def load(self, name):
        text = self.read(name)
        self.doc = json.loads(text)
        return text

    def peek(self, name):
        return self.read(name)

    def exists(self, name):
        return str(os.path.exists(self.path(name)))

    def size(self, name):
        return str(os.stat(self.path(name)).st_size)

    def list(self):
        return ",".join(sorted(n for n in os.listdir(self.home) if n != ".git"))

    # What changes the memory.
    def reset(self):
        self.doc = json.loads(json.dumps(FIRST))

    def keep(self):
        self.kept.append(json.dumps(self.doc))

    def back(self):
        if self.kept:
            self.doc = json.loads(self.kept.pop())

    def add(self, name):
        self.doc.setdefault("entries", []).append({"id": name})

    def drop(self, name):
        self.doc["entries"] = [e for e in self.doc.get("entries", []) if e["id"] != name]

    def pop(self):
        if self.doc.get("entries"):
            self.doc["entries"].pop(0)

    def clear(self):
        self.doc["entries"] = []

    def set(self, key, value):
        self.doc[key] = json.loads(value)

    def unset(self, key):
        self.doc.pop(key, None)

    def bump(self):
        self.doc["rev"] = self.doc.get("rev", 0) + 1

    def mark(self, job, value="running"):
        self.doc.setdefault("jobs", {}).setdefault(job, {})["state"] = value

    def unmark(self, job):
        self.doc.get("jobs", {}).get(job, {}).pop("state", None)

    def done(self, job):
        self.doc.get("jobs", {}).pop(job, None)

    # What changes the directory.
    def save(self, name, how="inplace"):
        text = json.dumps(self.doc)
        path = self.path(name)
        if how == "rename":
            with open(path + ".tmp", "w", encoding="utf-8") as f:
                f.write(text)
            os.replace(path + ".tmp", path)
        elif how == "rplus" and os.path.exists(path):
            with open(path, "r+", encoding="utf-8") as f:
                f.seek(0)
                f.write(text)
                f.truncate()
        elif how == "unlink":
            if os.path.exists(path):
                os.unlink(path)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        elif how == "backup":
            if os.path.exists(path):
                copyfile(path, path + ".bak")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)

    def unlink(self, name):
        os.unlink(self.path(name))

    def move(self, name, to):
        os.rename(self.path(name), self.path(to))

    def copy(self, name, to):
        copyfile(self.path(name), self.path(to))

    def child(self, *words):
        """A child does one line, with "," between the operations, and ends."""
        import subprocess

        line = " ".join(words).replace(",", ";")
        return subprocess.run([sys.executable, "-I", "-S", __file__, self.home, line], capture_output=True, text=True, check=False).stdout.strip()

    def run(self, line):
        said = []
        for operation in line.split("; "):
            name, *words = operation.split()
            answer = getattr(self, name)(*words)
            if answer:
                said.append(answer.strip())
        return said


def answer(program, line):
    try:
        return json.dumps(program.run(line))
    except OSError as e:
        return "failed " + errno.errorcode.get(e.errno, "?")
    except (ValueError, AttributeError, KeyError, TypeError) as e:
        return "failed " + type(e).__name__


def main():
    program = Program(sys.argv[1])
    if len(sys.argv) > 2:
        said = answer(program, sys.argv[2])
        print(said)
        sys.exit(said.startswith("failed"))
    for line in sys.stdin:
        print(answer(program, line.strip()), flush=True)


main()
