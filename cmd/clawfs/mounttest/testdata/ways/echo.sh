# The shell opens, duplicates, closes (which flushes nothing yet), writes, closes.
echo '{"n":1}' > f.json
cat f.json
