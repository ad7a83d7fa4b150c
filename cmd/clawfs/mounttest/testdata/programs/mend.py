"""mend.py FILE: writes half a document, closes one of two descriptors, which is
refused, and mends it by the other one. Prints what it is told and, in between,
what others see."""

import errno
import os
import subprocess
import sys

fd = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
os.write(fd, b'{"models":')
try:
    os.close(os.dup(fd))
    print("ok")
except OSError as err:
    print(errno.errorcode[err.errno])
print(subprocess.run(["cat", sys.argv[1]], check=True, capture_output=True, text=True).stdout)
os.write(fd, b"[]}")
os.close(fd)
print("ok")
