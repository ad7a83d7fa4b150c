"""opens.py FILE SECONDS: opens, looks at and closes FILE over and over. Prints how
often, and the errors that it got."""

import errno
import json
import os
import sys
import time

path, seconds = sys.argv[1:]
end = time.monotonic() + float(seconds)
opens = 0
errors = {}
while time.monotonic() < end:
    for step in (lambda: os.stat(path), lambda: os.close(os.open(path, os.O_RDONLY)), lambda: os.access(path, os.R_OK) or os.stat(path)):
        try:
            step()
        except OSError as err:
            name = errno.errorcode[err.errno]
            errors[name] = errors.get(name, 0) + 1
    opens += 1
print(json.dumps({"opens": opens, "errors": errors}))
