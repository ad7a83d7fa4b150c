# Names that need quoting somewhere.
for name in 'with blank.json' $'new\nline.json' 'ümlaut.json' '@at.json' '@=x.json' '-dash.json' '.hidden.json' '.json' "$(printf '%0200d' 0).json" $'\x01\xff.json' '%41.json' 'a\b.json'; do
  echo '[1]' > ./"$name"
  echo '[2]' > ./"$name"
  cat ./"$name"
done
mkdir '@dir'; echo '[3]' > '@dir/@7'; echo '[4]' > '@dir/f.json'
ls -A | LC_ALL=C sort | od -c | head -50
