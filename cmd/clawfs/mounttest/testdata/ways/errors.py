"""What fails on any file system fails in the same way."""
import errno
import os

os.mkdir("dir.json")
os.symlink("nowhere.json", "dangling.json")
os.symlink("loop.json", "loop.json")
for name, f in {
    "missing": lambda: os.open("missing.json", os.O_RDWR),
    "exclusive": lambda: os.open("f.json", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    "directory": lambda: os.open("dir.json", os.O_WRONLY),
    "not a directory": lambda: os.open("f.json/x.json", os.O_RDONLY),
    "O_DIRECTORY": lambda: os.open("f.json", os.O_RDONLY | os.O_DIRECTORY),
    "O_NOFOLLOW": lambda: os.open("dangling.json", os.O_RDONLY | os.O_NOFOLLOW),
    "dangling": lambda: os.open("dangling.json", os.O_RDONLY),
    "loop": lambda: os.open("loop.json", os.O_RDONLY),
    "long name": lambda: os.open("x" * 300 + ".json", os.O_WRONLY | os.O_CREAT),
    "rename over a directory": lambda: os.rename("f.json", "dir.json"),
    "rename of nothing": lambda: os.rename("missing.json", "f.json"),
    "link over": lambda: os.link("f.json", "g.json"),
    "unlink a directory": lambda: os.unlink("dir.json"),
    "rmdir a registry": lambda: os.rmdir("f.json"),
    "truncate below 0": lambda: os.truncate("f.json", -1),
    "read a descriptor for writing": lambda: os.read(os.open("f.json", os.O_WRONLY), 1),
    "write one for reading": lambda: os.write(os.open("f.json", os.O_RDONLY), b"x"),
    "xattr": lambda: os.getxattr("f.json", "user.missing"),
}.items():
    try:
        f()
        print(name, "ok")
    except OSError as err:
        print(name, errno.errorcode[err.errno])
