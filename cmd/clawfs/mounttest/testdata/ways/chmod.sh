# Metadata of a registry changes without its content.
chmod 600 f.json
chmod u+x,g-r g.json
touch -d '2020-02-02 02:02:02.123456789 UTC' f.json
stat -c '%a %Y %y' f.json | cut -c1-30
touch f.json
test f.json -nt g.json && echo newer
setfattr -n user.a -v b f.json
setfattr -x user.a f.json
