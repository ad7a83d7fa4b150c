"""polls.py FILE: reads FILE over and over until its standard input ends, and prints
each content that it found, once, as JSON; null where there was no file."""

import json
import sys
import threading

ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
print("polling", flush=True)
found = set()
while True:
    last = ended.is_set()
    try:
        with open(sys.argv[1], encoding="utf-8") as f:
            found.add(f.read())
    except FileNotFoundError:
        found.add(None)
    if last:
        break
print(json.dumps(sorted(found, key=str)))
