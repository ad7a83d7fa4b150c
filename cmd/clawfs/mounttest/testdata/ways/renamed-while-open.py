"""The temporary file is renamed before it is closed."""
import os

fd = os.open("t", os.O_WRONLY | os.O_CREAT, 0o644)
os.write(fd, b'{"renamed": "first"}')
os.rename("t", "f.json")
os.close(fd)
with open("f.json", encoding="utf-8") as f:
    print(f.read())
