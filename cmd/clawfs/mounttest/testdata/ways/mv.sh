echo '{"n":1}' > t; chmod 600 t; mv t f.json
echo '{"n":2}' > t; mv -T t new.json
mkdir sub; echo '{"n":3}' > sub/t; mv sub/t g.json
mv f.json sub/renamed.json
mv sub/renamed.json sub/plain
mv sub/plain again.json
mv -n g.json again.json
cat again.json g.json
