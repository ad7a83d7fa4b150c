# Programs that a shell starts while it has a new file open
exec 3>new.json
ls new.json; stat -c %s new.json
echo '{"a":1}' >&3
cat new.json
mv new.json moved.json
exec 3>&-
cat moved.json
{ ls out.json; stat -c %h out.json; rm out.json; ls out.json; } 2>&1 >out.json
{ echo '{'; chmod 600 part.json; echo '}'; } >part.json
stat -c %a part.json; cat part.json
