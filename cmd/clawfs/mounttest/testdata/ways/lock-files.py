"""Lock files and directories, as OpenClaw and proper-lockfile use them."""
import errno
import os

os.close(os.open("f.json.lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
try:
    os.open("f.json.lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
except OSError as err:
    print(errno.errorcode[err.errno])
os.unlink("f.json.lock")
os.mkdir("f.json.lock")
try:
    os.mkdir("f.json.lock")
except OSError as err:
    print(errno.errorcode[err.errno])
for ms in 1700000000123, 1700000005999:
    os.utime("f.json.lock", ns=(ms * 10**6, ms * 10**6))
    print(os.stat("f.json.lock").st_mtime_ns // 10**6 == ms)
os.rmdir("f.json.lock")
