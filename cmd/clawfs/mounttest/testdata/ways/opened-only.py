"""Opened for writing and closed again, nothing else."""
import os

for flags in os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDWR | os.O_CREAT:
    os.close(os.open("f.json", flags))
os.utime("f.json")
with open("f.json", encoding="utf-8") as f:
    print(f.read())
