"""waits.py KIND FILE LOG STOP: reads, writes or stats FILE over and over until there is a file STOP. Writes into LOG when each call,
or open, work and close together, began and ended that took two milliseconds and more, in nanoseconds. Prints how many there
were: all have succeeded."""

import json
import os
import sys
import time

kind, file, log, stop = sys.argv[1:]
done, slow = 0, []
text = json.dumps({"n": 0, "rest": "x" * 500})
while not os.path.exists(stop):
    began = time.monotonic_ns()
    match kind:
        case "reads":
            with open(file) as f:
                f.read()
        case "writes":
            with open(file, "w") as f:
                f.write(text)
        case "stats":
            os.stat(file)
    ended = time.monotonic_ns()
    if ended - began >= 2_000_000:
        slow.append((began, ended))
    done += 1
    if kind == "writes":
        text = json.dumps({"n": done, "rest": "x" * 500})
    time.sleep(0.02)
with open(log, "w") as f:
    f.writelines(f"{began} {ended}\n" for began, ended in slow)
print(done)
