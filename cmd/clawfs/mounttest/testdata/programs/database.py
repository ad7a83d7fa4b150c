"""database.py FILE N NAME: N transactions on an SQLite database in WAL mode."""

import sqlite3
import sys

path, n, name = sys.argv[1:]
db = sqlite3.connect(path, timeout=60, isolation_level=None)
mode = db.execute("PRAGMA journal_mode=WAL").fetchone()
if mode != ("wal",):
    sys.exit(f"journal_mode is {mode}")
db.execute("PRAGMA synchronous=OFF")
db.execute("CREATE TABLE IF NOT EXISTS rows (name TEXT, i INTEGER, PRIMARY KEY (name, i))")
db.execute("CREATE TABLE IF NOT EXISTS total (n INTEGER)")
for i in range(int(n)):
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO rows VALUES (?, ?)", (name, i))
    if db.execute("UPDATE total SET n = n + 1").rowcount == 0:
        db.execute("INSERT INTO total VALUES (1)")
    db.execute("COMMIT")
db.close()
