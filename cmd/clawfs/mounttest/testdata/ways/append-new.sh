# A registry is made by appending.
echo '[1]' >> new.json
cat new.json
