"""refused.py FILE CASES: the same as refused.mjs."""

import base64
import errno
import json
import os
import sys

path, cases = sys.argv[1:]


def code(f):
    try:
        f()
    except OSError as err:
        return f"{f.__name__} {errno.errorcode[err.errno]}"
    return None


def content_of(name):
    with open(name, "rb") as f:
        return f.read()


with open(cases, encoding="utf-8") as f:
    contents = json.load(f)
for name, encoded in contents.items():
    content = base64.b64decode(encoded)
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as f:
        f.write(content)

    out = open(path, "wb")
    out.write(content)

    def close():
        out.close()

    def rename():
        os.replace(temporary, path)

    place = code(close)
    after_place = base64.b64encode(content_of(path)).decode()
    renamed = code(rename)
    kept = os.path.exists(temporary) and content_of(temporary) == content
    if os.path.exists(temporary):
        os.unlink(temporary)
    after_rename = base64.b64encode(content_of(path)).decode()
    print(json.dumps({"name": name, "place": place, "afterPlace": after_place, "rename": renamed, "kept": kept, "afterRename": after_rename}))
