# Editors.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

editor_start() { printf '{\n  "k0": 0\n}\n' >e.json; }
editor_count() { jq '[keys[] | select(. != "k0")] | length' e.json; }

program vim vim
vim_version() { vim --version | head -n 1; }
vim_edit() { local rc; vim -u NONE -N -n -V1"$HOME/said" -es -c "set $1" -c "${3:-sleep 1m}" -c "%s/{/{\r  \"$2\": 1,/" -c wq e.json; rc=$?; echo "$rc"; [ "$rc" = 0 ] || tail -n 3 "$HOME/said"; rm -f "$HOME/said"; return "$rc"; }
vim_start() { editor_start; }
vim_count() { editor_count; }
vim_alone() { editor_start; for how in backupcopy=yes backupcopy=no backupcopy=auto backup nowritebackup; do vim_edit "$how" "x-$how"; cat e.json; done; vim -u NONE -N -es -c 'normal Goinvalid' -c 'w! bad.txt' -c q! e.json; }
vim_add() { vim_edit backupcopy=auto "$1" 'sleep 500m'; }
notes[vim]='loses: it sees itself that the file was changed since it read it, and asks; in a batch it gives up, in a bare directory, too'

program nano nano
nano_version() { nano --version | head -n 1; }
nano_edit() {
  python3 -c 'import os, pty, sys, threading, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    os.execvp("nano", ["nano", "e.json"])
def drain():
    try:
        while os.read(fd, 65536): pass
    except OSError: pass
threading.Thread(target=drain, daemon=True).start()
for keys, pause in ((b"", 3), (b"\x1b[B", 0.5), (b"  \"%s\": 1,\r" % sys.argv[1].encode(), 1), (b"\x0f", 1), (b"\r", 2), (b"\x18", 1)):
    os.write(fd, keys); time.sleep(pause)
for i in range(50):
    if os.waitpid(pid, os.WNOHANG)[0]: break
    time.sleep(0.1)
else: os.kill(pid, 9)' "$1"
}
nano_alone() { editor_start; for n in a b; do nano_edit $n; cat e.json; done; }

program emacs emacs-nox
emacs_version() { emacs --version | head -n 1; }
emacs_edit() { emacs -Q --batch --eval '(progn (setq lisp (getenv "HOW")) (find-file "e.json") (sleep-for 0.5) (when lisp (eval (read lisp))) (goto-char (point-min)) (search-forward "{") (insert (format "\n  \"%s\": 1," (getenv "KEY"))) (save-buffer))' 2>&1; }
emacs_start() { editor_start; }
emacs_count() { editor_count; }
emacs_alone() { editor_start; for how in '(setq backup-by-copying nil)' '(setq make-backup-files nil)' '(setq file-precious-flag t)' '(setq backup-by-copying t)'; do HOW=$how KEY=x-${how//[^a-z]/} emacs_edit; echo "$?"; cat e.json; done; }
emacs_add() { KEY=$1 emacs_edit; }
notes[emacs]='loses: as vim'

program ed ed
ed_version() { ed --version | head -n 1; }
ed_start() { editor_start; }
ed_count() { editor_count; }
ed_alone() { editor_start; printf '%s\n' '1a' '  "a": 1,' . w q | ed -s e.json; cat e.json; printf '%s\n' '/"a"/d' w q | ed -s e.json; cat e.json; }
ed_add() { { printf '%s\n' '1a' "  \"$1\": 1," .; sleep 0.5; printf '%s\n' w q; } | ed -s e.json; }

program sed sed
sed_version() { sed --version | head -n 1; }
sed_start() { editor_start; }
sed_count() { editor_count; }
sed_alone() { editor_start; sed -i 's/{/{\n  "a": 1,/' e.json; sed -i.bak 's/1/2/' e.json; sed -i -e 's/2/3/w changed.txt' e.json; cat e.json; }
sed_add() { sed -i "s/{/{\n  \"$1\": 1,/" e.json; }
