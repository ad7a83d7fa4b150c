echo '{"installed":1}' > t
install -m 600 t f.json
install -m 644 -b t g.json
install t new.json
