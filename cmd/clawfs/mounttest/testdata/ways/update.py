"""r+, shorter and longer, with and without truncation."""
import os

with open("f.json", "r+", encoding="utf-8") as f:
    f.write('{"shorter":1}')
    f.truncate()
with open("f.json", "r+", encoding="utf-8") as f:
    text = f.read()
    f.seek(0)
    f.truncate(0)
    f.write(text.replace("1", "12345"))
with open("g.json", "r+", encoding="utf-8") as f:
    f.write('{"longer": "' + "x" * 10000 + '"}')
with open("f.json", "r+b") as f:  # one byte in the middle
    f.seek(11)
    f.write(b"9")
print(os.stat("f.json").st_size)
