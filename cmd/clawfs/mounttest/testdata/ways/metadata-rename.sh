# A rename brings the metadata of what is renamed.
setfattr -n user.old -v 1 f.json
echo '{"n":1}' > t; chmod 601 t; setfattr -n user.new -v 2 t
[ "$(id -u)" != 0 ] || chown 12:34 t
mv t f.json
stat -c '%a %u %g' f.json
getfattr -d f.json
