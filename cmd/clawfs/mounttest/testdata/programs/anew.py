"""anew.py: a process finds no registry, saves a document by a file that takes the name, and
saves it again without an entry, in each way: one process for each, in a directory of its own.
Prints the ways after which the registry holds something else than was saved last."""

import itertools
import os
import subprocess

REGISTRY = "f.json"
FIRST, LAST = '{"e":"x","k":"1"}', '{"k":"1"}'


def ask(how):
    if how == "stat":
        os.path.exists(REGISTRY)
    elif how == "open":
        try:
            os.close(os.open(REGISTRY, os.O_RDONLY))
        except FileNotFoundError:
            pass
    elif how == "remove":
        try:
            os.unlink(REGISTRY)
        except FileNotFoundError:
            pass


def save(text, name, how, question=None, late=False):
    if not late:
        ask(question)
    with open(name, "w") as f:
        f.write(text)
    if late:
        ask(question)
    if name == REGISTRY:
        return
    if how == "rename":
        os.rename(name, REGISTRY)
    elif how == "mv":
        subprocess.run(["mv", name, REGISTRY], check=True)
    elif how == "link":
        if os.path.exists(REGISTRY):
            os.unlink(REGISTRY)
        os.link(name, REGISTRY)
        os.unlink(name)


def run(how, question, late, first, last, between):
    save(FIRST, first, how, question, late)
    if between:
        save('{"e":"x","k":"1","l":"2"}', first, how)
    save(LAST, last, how)
    with open(REGISTRY) as f:
        got = f.read()
    if got != LAST:
        print(how, question, "late" if late else "", first, last, "twice" if between else "", got, flush=True)


ways = itertools.product(
    ["rename", "mv", "link"],
    ["stat", "open", "remove"],
    [False, True],
    ["t.json", ".f.json", "f.tmp"],
    ["t.json", "f.tmp", REGISTRY],
    [False, True],
)
for n, way in enumerate(ways):
    os.mkdir(str(n))
    process = os.fork()
    if process == 0:
        os.chdir(str(n))
        run(*way)
        os._exit(0)
    if os.waitpid(process, 0)[1] != 0:
        print(*way, "failed")
