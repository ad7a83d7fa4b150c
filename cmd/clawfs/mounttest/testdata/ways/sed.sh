sed -i 's/"a"/"sed"/' f.json
sed -i.bak 's/"sed"/"again"/' f.json
sed -i -e '$a\ ' f.json
