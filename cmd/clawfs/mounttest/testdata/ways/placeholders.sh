# Empty files that are filled later, or never
touch t.json; stat -c '%s %a' t.json; echo '{}' > t.json; cat t.json
: > e.json; stat -c %s e.json
(umask 077; touch m.json); stat -c %a m.json
touch acme.json && chmod 600 acme.json && echo '{"acme":1}' > acme.json && stat -c %a acme.json
install -m 600 /dev/null i.json; stat -c '%s %a' i.json
truncate -s 0 tr.json; stat -c %s tr.json
cp /dev/null c.json; cp c.json c2.json; stat -c %s c2.json
f=$(mktemp -p . --suffix=.json) && echo '{"mktemp":1}' > "$f" && mv "$f" mktemp.json
ln t.json second.json; stat -c %h t.json
touch linked.json; ln linked.json link2.json; echo '[1]' > other; mv other linked.json; stat -c '%s %h' link2.json
mv e.json e2.json; ls e.json e2.json 2>/dev/null
mv e2.json plain; mv plain back.json; stat -c %s plain 2>/dev/null || ls back.json plain 2>/dev/null
touch twice.json; touch twice.json; rm twice.json; [ -e twice.json ] || echo gone
rm f.json; touch f.json; stat -c %s f.json; echo '{"again":1}' > f.json
mkdir d; touch d/a.json d/b.json; rm d/a.json d/b.json; rmdir d && echo removed
mkdir d; touch d/a.json; echo '{}' > d/b.json; rm -r d; mkdir d; ls d
touch -d 2001-02-03T04:05:06Z old.json; stat -c %Y old.json
set -C
for i in 1 2 3; do ( echo '{"n":1}' > claim.json ) 2>/dev/null && echo won; done
