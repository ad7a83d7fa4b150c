# vim, with every way of keeping a backup.
for how in auto yes no; do
  vim -Nes -u NONE -i NONE -c "set backupcopy=$how nomore" -c '%s/"id": *"\([-a-z]*\)"/"id": "\1-'$how'"/' -c wq f.json
done
vim -Nes -u NONE -i NONE -c 'set backup backupcopy=no' -c '%s/other/another/' -c wq g.json
vim -Nes -u NONE -i NONE -c 'normal i{"by": "vim"}' -c wq new.json
cat f.json g.json new.json
