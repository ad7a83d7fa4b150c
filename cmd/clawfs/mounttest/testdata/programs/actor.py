"""actor.py FILE [rename]: the same as actor.mjs, watch aside."""

import errno
import json
import os
import shutil
import sys
import time

path = sys.argv[1]
rename = sys.argv[2:] == ["rename"]
memory = last = None


def write(text):
    if not rename:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "w", encoding="utf-8") as f:
        f.write(text)
    try:
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def load():
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def do(command, *words):
    global memory, last
    match command:
        case "read":
            memory = load()
            last = json.dumps(memory)
        case "look":
            load()
        case "new":
            memory = {"models": []}
        case "add":
            memory["models"].append({"id": words[0]})
        case "remove":
            memory["models"] = [m for m in memory["models"] if m["id"] != words[0]]
        case "set":
            memory[words[0]] = json.loads(words[1])
        case "save":
            write(json.dumps(memory, indent=2))
        case "break":
            text = json.dumps(memory, indent=2)
            write(text[: len(text) // 2])
        case "backup":
            shutil.copyfile(path, path + ".bak")
        case "unlink":
            os.unlink(path)
        case "revert":
            memory = json.loads(last)
        case "wait":
            time.sleep(0.1)


for line in sys.stdin:
    try:
        do(*line.split())
        print("ok", flush=True)
    except OSError as err:
        print(errno.errorcode[err.errno], flush=True)
    except (TypeError, ValueError) as err:  # TypeError: nothing could be read before
        print(f"invalid: {err}", flush=True)
