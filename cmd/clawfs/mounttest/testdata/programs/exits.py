"""exits.py HOW FILE: writes a document to FILE and ends without closing it."""

import os
import sys

how, path = sys.argv[1:]
fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
os.write(fd, b'{"models": ["%s"]}' % how.encode())
if how == "exit":
    sys.exit(0)
if how == "exit 3":
    sys.exit(3)
if how == "exception":
    raise RuntimeError("on purpose")
if how == "exec":
    os.execvp("true", ["true"])
if how == "exec, inherited":
    os.set_inheritable(fd, True)
    os.execvp("true", ["true"])
if how == "thread":
    import threading

    threading.Thread(target=os._exit, args=(0,)).start()
    threading.Event().wait()
os._exit(0)
