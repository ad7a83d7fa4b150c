# Programs that copy, synchronise and save.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

copies_start() { mkdir -p d/sub; echo '{"a":1}' >d/a.json; echo '{"b":[1,2]}' >d/sub/b.json; echo text >d/t.txt; }
copies_end() { find "$1" -type f | LC_ALL=C sort | while read -r f; do echo "$f"; cat "$f"; done; }

program rsync rsync
rsync_version() { rsync --version | head -n 1; }
rsync_alone() { copies_start; rsync -a d/ e/; echo '{"a":22}' >d/a.json; rsync -ai --itemize-changes d/ e/ | cut -c1-3; rsync -a --inplace d/ f/; rm d/t.txt; rsync -a --delete d/ e/; rsync -ac --delay-updates d/ g/; rsync -ain d/ e/; copies_end e; }

program rclone rclone
rclone_version() { rclone version; }
rclone_alone() { copies_start; export RCLONE_CONFIG=/dev/null; rclone -q sync d e; echo '{"a":22}' >d/a.json; rclone -q sync d e; rclone -q check d e; rclone -q move e f; rclone lsf -R f; copies_end f; }
masks[rclone]='s#^[0-9/]+ [0-9:]+ ##'

program restic restic
restic_version() { restic version; }
restic_alone() { copies_start; export RESTIC_PASSWORD=none RESTIC_REPOSITORY=$HOME/repository; restic -q init; restic -q backup d; restic -q check; restic -q restore latest --target r >/dev/null; copies_end r | sed "s#$PWD##"; rm -r d; cp -a "r$PWD/d" .; restic backup d 2>&1 | grep -E '^Files'; rm -r r; }
masks[restic]='/^Files/d'

program borg borgbackup
borg_version() { borg --version; }
borg_alone() { copies_start; export BORG_REPO=$HOME/repository; borg init -e none; borg create ::one d; borg create --stats ::two d 2>&1 | grep -c Archive; borg check; mkdir r; (cd r && borg extract ::two); copies_end r; diff -r d r/d; }

program unison unison
unison_version() { unison -version; }
unison_alone() { copies_start; mkdir e; unison -batch -silent "$PWD/d" "$PWD/e"; echo '{"a":3}' >e/a.json; echo '{"c":1}' >d/c.json; unison -batch -silent "$PWD/d" "$PWD/e"; unison -batch -silent "$PWD/d" "$PWD/e"; copies_end e; copies_end d; }

program tar tar
tar_version() { tar --version | head -n 1; }
tar_alone() { copies_start; tar cf x.tar d; rm -r d; tar xf x.tar; tar df x.tar; tar xf x.tar --overwrite; tar xf x.tar --unlink-first; tar --keep-newer-files -xf x.tar; rm x.tar; copies_end d; }

program unzip unzip zip
unzip_version() { unzip -v | head -n 1; }
unzip_alone() { copies_start; zip -qr x.zip d; rm -r d; unzip -q x.zip; unzip -qo x.zip; copies_end d; rm x.zip; }

program coreutils coreutils
coreutils_version() { cp --version | head -n 1; }
coreutils_alone() { copies_start; cp -a d e; cp --backup=numbered d/a.json e/; mv -b d/a.json e/a.json; install -m 600 e/a.json f.json; echo '{"z":1}' | tee f.json; truncate -s 0 g.json; dd if=f.json of=h.json status=none; ln -s f.json l.json; cat l.json; echo '{"z":2}' >l.json; split -n 1 f.json part.; cmp f.json l.json; shred -u h.json; copies_end e; }
notes[coreutils]='differs: `shred` can not overwrite a registry with bytes that are no document, and its history has it, too: `rm`, unmount, `clawfs forget`'
