cp g.json f.json
cp f.json new.json
cp -p f.json kept.json
cp --remove-destination g.json new.json
cp -f --no-preserve=mode g.json f.json
cp --backup=simple f.json g.json
cp -a f.json a.json
