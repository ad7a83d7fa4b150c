echo '{"dd":1}' | dd of=f.json conv=fsync status=none
echo '{"dd":2}' | dd of=g.json oflag=sync bs=1 status=none
printf '{"dd":3}' | dd of=g.json conv=notrunc status=none
printf '[1,2,3]' | dd of=new.json bs=2 status=none
