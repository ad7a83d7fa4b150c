"""load.py FILE: writes documents to FILE as fast as it can until it is killed or
the file system is gone, in place and by rename in turn, and now and then what is
no document. Prints what it was told, a line each:

    ack N TIME        the document N is stored
    refused N TIME    the content {"n": N, which is no document, was refused
    failed ERROR

TIME is of the system's monotonic clock, in nanoseconds.
"""

import errno
import itertools
import os
import random
import sys
import time

path = sys.argv[1]


def say(text):
    os.write(1, (text + "\n").encode())


def save(target, text):
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        while text:
            text = text[os.write(fd, text):]
    finally:
        os.close(fd)


def attempt(n):
    if n % 10 == 0:
        try:
            save(path, b'{"n": %d,' % n)
        except OSError as err:
            if err.errno != errno.EINVAL:
                raise
            say(f"refused {n} {time.monotonic_ns()}")
            return
        say(f"accepted {n} {time.monotonic_ns()}")
        return
    text = b'{"n": %d, "padding": "%s"}' % (n, b"x" * random.randrange(1 << random.randrange(16)))
    if n % 2:
        save(path, text)
    else:
        save(path + ".tmp", text)
        os.rename(path + ".tmp", path)
    say(f"ack {n} {time.monotonic_ns()}")


for n in itertools.count(1):
    try:
        attempt(n)
    except OSError as err:
        say(f"failed {errno.errorcode[err.errno]}")
        if err.errno in (errno.ENOTCONN, errno.ECONNABORTED):
            break
