"""What was removed can still be read by whom has it open."""
import os

fd = os.open("f.json", os.O_RDONLY)
os.unlink("f.json")
print(os.read(fd, 1000), os.path.exists("f.json"))
with open("f.json", "w", encoding="utf-8") as f:
    f.write("[]")
print(os.pread(fd, 1000, 0))
os.close(fd)
