"""first.py HOW FILE ID: adds {"id": ID} to the list "models" of FILE, as programs
do it at their first start: where there is no file, or no directory, they begin with
a default of their own. HOW says how they look, and how they write."""

import json
import os
import sys
from pathlib import Path

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "programs"))
from gate import gate  # noqa: E402


def default():
    return {"version": 1, "models": []}


def exists(path):
    return json.load(open(path, encoding="utf-8")) if os.path.exists(path) else default()


def tried(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return default()


def listed(path):
    try:
        names = os.listdir(os.path.dirname(path))
    except FileNotFoundError:
        names = []
    return tried(path) if os.path.basename(path) in names else default()


def in_place(path, text):
    Path(path).write_text(text, encoding="utf-8")


def replace(path, text):
    temporary = f"{path}.{os.getpid()}.tmp"
    in_place(temporary, text)
    os.replace(temporary, path)


WAYS = {"exists-in-place": (exists, in_place), "tried-replace": (tried, replace), "listed-in-place": (listed, in_place)}

how, path, name = sys.argv[1:]
look, save = WAYS[how]
gate("start")
registry = look(path)
registry["models"].append({"id": name, "by": how})
gate("read")
os.makedirs(os.path.dirname(path), exist_ok=True)
save(path, json.dumps(registry, indent=2) + "\n")
