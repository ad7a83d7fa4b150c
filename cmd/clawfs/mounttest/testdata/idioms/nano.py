"""nano.py FILE ID: a person who adds {"id": ID} as the first of "models" in FILE,
each entry of which has lines of its own, in nano on a terminal."""

import os
import pty
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../programs"))
from gate import gate

path, name = sys.argv[1:]
gate("start")
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(TERM="xterm", LINES="40", COLUMNS="120")
    os.execvp("nano", ["nano", "--ignorercfiles", "+4,1", path])
shown = ""


def until(*words):
    """Reads the screen until one of the words was drawn; returns it."""
    global shown
    while True:
        for word in words:
            if word in shown:
                shown = ""
                return word
        if not select.select([terminal], [], [], 30)[0]:
            sys.exit(f"nano shows none of {words}: {shown[-500:]!r}")
        try:
            shown += os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            sys.exit(f"nano ended: {shown[-500:]!r}")


def press(keys):
    os.write(terminal, keys.encode())


until("claude")
gate("read")
press(f'{{"id": "{name}"}},\r')
until(name)
press("\x0f")  # write out
until("File Name to Write")
press("\r")
# Where the file was changed meanwhile it asks.
if until("Wrote", "continue saving") != "Wrote":
    press("y")
    until("Wrote")
press("\x18")  # exit
while True:
    try:
        if not os.read(terminal, 4096):
            break
    except OSError:  # the terminal is gone
        break
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
