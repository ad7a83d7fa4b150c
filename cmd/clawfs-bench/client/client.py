"""client.py sqlite --file F --count N: SQLite in WAL mode with full durability,
one transaction an insert, for scripts/bench. It keeps to the protocol of the Go
client (main.go)."""

import argparse
import json
import sqlite3
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("work", choices=["sqlite"])
parser.add_argument("--file", required=True)
parser.add_argument("--count", type=int, required=True)
flags = parser.parse_args()

db = sqlite3.connect(flags.file, isolation_level=None)
mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
if mode != "wal":
    sys.exit(f"no WAL here but {mode}")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, content TEXT)")
print("ready", flush=True)
if not sys.stdin.readline():
    sys.exit("no start signal")
took = []
cpu, begin = time.process_time_ns(), time.perf_counter_ns()
for n in range(flags.count):
    since = time.perf_counter_ns()
    db.execute("INSERT INTO entries VALUES (?, ?)", (n, "x" * 100))
    took.append(time.perf_counter_ns() - since)
result = {"nanos": time.perf_counter_ns() - begin, "cpu": time.process_time_ns() - cpu}
found = db.execute("SELECT count(*) FROM entries").fetchone()[0]
db.close()
print(json.dumps({**result, "ops": found, "failed": flags.count - found, "series": {"transaction": took}}))
