perl -i -pe 's/"a"/"perl"/' f.json
perl -i.orig -pe 's/other/another/' g.json
