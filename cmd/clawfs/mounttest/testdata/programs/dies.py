"""dies.py HOW FILE: writes a valid document to FILE, which it means to be longer,
says so on its standard output, and waits to be killed without having closed it."""

import os
import sys
import time

how, path = sys.argv[1:]
text = '{"models": []}'
if how == "r+":
    f = open(path, "r+", encoding="utf-8")
    f.write(text)
    f.truncate()
elif how == "append":
    f = open(path, "a", encoding="utf-8")
    f.write("\n")
elif how == "synced":
    f = open(path + ".tmp", "w", encoding="utf-8")
    f.write(text)
    f.flush()
    os.fsync(f.fileno())
else:
    f = open(path, "w", encoding="utf-8")
    f.write(text)
f.flush()
print("written", flush=True)
if how == "abort":
    os.abort()
time.sleep(60)
