"""The ways in which one file is copied to another."""
import os
import shutil

shutil.copyfile("f.json", "1.json")
shutil.copy2("f.json", "2.json")
shutil.copyfile("f.json", "g.json")
src = os.open("f.json", os.O_RDONLY)
size = os.fstat(src).st_size
for name, copy in {
    "3.json": lambda dst: os.copy_file_range(src, dst, size, 0, 0),
    "4.json": lambda dst: os.sendfile(dst, src, 0, size),
    "plain": lambda dst: os.copy_file_range(src, dst, size, 0, 0),
}.items():
    dst = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644)
    print(copy(dst) == size)
    os.close(dst)
