"""As OpenClaw writes credentials: in place, with a mode, then chmod."""
import os

fd = os.open("new.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
os.write(fd, b"{}")
os.fchmod(fd, 0o640)
os.close(fd)
os.chmod("new.json", 0o600)
os.umask(0o027)
with open("masked.json", "w", encoding="utf-8") as f:
    f.write("[]")
os.mkdir("masked")
fd = os.open("f.json", os.O_WRONLY | os.O_TRUNC)
os.fchmod(fd, 0o600)
os.write(fd, b"[]")
os.close(fd)
print(oct(os.stat("f.json").st_mode), oct(os.stat("new.json").st_mode))
