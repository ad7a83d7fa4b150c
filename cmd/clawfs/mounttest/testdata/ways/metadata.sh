# Mode, owner and attributes survive a write in place.
chmod 604 f.json
setfattr -n user.kept -v yes f.json
setfacl -m u:1234:rw g.json
[ "$(id -u)" != 0 ] || chown 12:34 f.json
echo '{"n":1}' > f.json
echo '{"n":2}' > g.json
"$PYTHON" -c 'open("f.json", "r+").write("{\"n\":3}")'
truncate -s 8 f.json
stat -c '%a %u %g %s' f.json g.json
getfattr --absolute-names -n user.kept f.json
getfacl -c g.json
