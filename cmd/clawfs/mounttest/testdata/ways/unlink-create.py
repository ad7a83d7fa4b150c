"""Remove and create, as many programs "save"."""
import os

os.unlink("f.json")
with open("f.json", "x", encoding="utf-8") as f:
    f.write('{"created": "anew"}')
os.rename("g.json", "g.json.bak")
with open("g.json", "w", encoding="utf-8") as f:
    f.write('{"after": "backup"}')
