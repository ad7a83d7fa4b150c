# A file that may only be read: its mode is checked at open, not at close.
chmod 400 f.json
cat f.json
exec 3> g.json
chmod 400 g.json
echo '{"opened":"before"}' >&3
exec 3>&-
stat -c %a f.json g.json
