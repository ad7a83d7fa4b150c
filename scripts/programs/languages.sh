# Programs in other languages.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

program python python3
python_version() { python3 --version; }
python_code='import json, os, sys, time
def meet():
    place = os.environ.get("MEET")
    if place:
        open(os.path.join(place, str(os.getpid())), "w").close()
        for i in range(2400):
            if len(os.listdir(place)) >= int(os.environ["MEET_COUNT"]): break
            time.sleep(0.025)
def load(): return json.load(open("p.json")) if os.path.exists("p.json") else {}
def save(d):
    with open("p.json", "w") as f: json.dump(d, f, indent=2)
d = load(); meet()
if sys.argv[1] == "add": d[sys.argv[2]] = {"x": 1.5}
else: del d[sys.argv[2]]
save(d)'
python_alone() { for s in 'add a' 'add b' 'remove a' 'add a'; do python3 -c "$python_code" $s; cat p.json; done; }
python_add() { python3 -c "$python_code" add "$1"; }
python_count() { jq 'keys | length' p.json; }
export python_code

program TinyDB python3-tinydb
TinyDB_version() { dpkg-query -Wf '${Version}' python3-tinydb; }
tinydb_code='import os, sys, time
from tinydb import TinyDB, where
db = TinyDB("tiny.json")
if sys.argv[1] == "add": db.insert({"k": sys.argv[2]})
else: db.remove(where("k") == sys.argv[2])
db.close()'
export tinydb_code
TinyDB_alone() { for s in 'add a' 'add b' 'remove a' 'add c'; do /usr/bin/python3 -c "$tinydb_code" $s; cat tiny.json; echo; done; }
TinyDB_add() { /usr/bin/python3 -c "$tinydb_code" add "$1"; }
TinyDB_count() { jq -r '.. | .k? // empty' tiny.json | sort -u | wc -l; }
notes[TinyDB]='loses: it numbers entries in turn, and two that take one number are one entry: one writer at a time'

program jsonpickle python3-jsonpickle
jsonpickle_version() { dpkg-query -Wf '${Version}' python3-jsonpickle; }
jsonpickle_code='import jsonpickle, os, sys
class Thing:
    def __init__(self, name): self.name, self.tags = name, {1, 2}
things = jsonpickle.decode(open("things.json").read()) if os.path.exists("things.json") else {}
things[sys.argv[1]] = Thing(sys.argv[1])
open("things.json", "w").write(jsonpickle.encode(things, indent=1))'
export jsonpickle_code
jsonpickle_alone() { for k in a b c; do /usr/bin/python3 -c "$jsonpickle_code" $k; cat things.json; done; }
jsonpickle_add() { /usr/bin/python3 -c "$jsonpickle_code" "$1"; }
jsonpickle_count() { jq 'keys | map(select(startswith("k"))) | length' things.json; }

program php php-cli
php_version() { php -v; }
php_code='$f = "h.json"; $d = is_file($f) ? json_decode(file_get_contents($f), true) : []; usleep(200000); $d[$argv[1]] = ["n" => 1.5]; file_put_contents($f, json_encode($d, JSON_PRETTY_PRINT), LOCK_EX);'
export php_code
php_alone() { for k in a b c; do php -r "$php_code" $k; cat h.json; done; }
php_add() { php -r "$php_code" "$1"; }
php_count() { jq 'keys | length' h.json; }

program ruby ruby
ruby_version() { ruby --version; }
ruby_code='require "json"; f = "r.json"; d = File.exist?(f) ? JSON.parse(File.read(f)) : {}; sleep 0.2; d[ARGV[0]] = {"n" => 1.5}; File.write(f, JSON.pretty_generate(d))'
export ruby_code
ruby_alone() { for k in a b c; do ruby -e "$ruby_code" $k; cat r.json; done; ruby -rpstore -e 'p = PStore.new("s.json.pstore"); p.transaction { p[:a] = 1 }; p.transaction(true) { puts p[:a] }'; }
ruby_add() { ruby -e "$ruby_code" "$1"; }
ruby_count() { jq 'keys | length' r.json; }

program perl perl
perl_version() { perl -e 'print $^V'; }
perl_code='use JSON::PP; my $d = {}; if (open my $i, "<", "l.json") { local $/; $d = decode_json(<$i>) } select undef, undef, undef, 0.2; $d->{$ARGV[0]} = {n => 1.5}; open my $o, ">", "l.json" or die; print $o JSON::PP->new->canonical->pretty->encode($d); close $o or die'
export perl_code
perl_alone() { for k in a b c; do perl -e "$perl_code" $k; cat l.json; done; perl -pi -e 's/1\.5/2.5/' l.json; perl -pi.bak -e 's/2\.5/3.5/' l.json; cat l.json; }
perl_add() { perl -e "$perl_code" "$1"; }
perl_count() { jq 'keys | length' l.json; }

# locked LIBRARY PACKAGE FILE: a program of Python that locks the file itself, or another one beside it.
locked() {
  program "$1" "$2"
  eval "$1_version() { dpkg-query -Wf '\${Version}' $2; }
    $1_start() { echo '{}' >$3; }
    $1_alone() { $1_start; for k in a b c; do /usr/bin/python3 -c \"\$$1_code\" \$k; cat $3; echo; done; }
    $1_add() { /usr/bin/python3 -c \"\$$1_code\" \"\$1\"; }
    $1_count() { jq 'keys | length' $3; }"
}
portalocker_code='import json, portalocker, sys, time
with portalocker.Lock("locked.json", "r+", timeout=120) as f:
    d = json.load(f); d[sys.argv[1]] = {"x": 1.5}; time.sleep(0.05)
    f.seek(0); f.truncate(); json.dump(d, f)'
filelock_code='import filelock, json, sys, time
with filelock.FileLock("beside.json.lock", timeout=120):
    d = json.load(open("beside.json")); d[sys.argv[1]] = {"x": 1.5}; time.sleep(0.05)
    with open("beside.json", "w") as f: json.dump(d, f)'
export portalocker_code filelock_code
locked portalocker python3-portalocker locked.json
notes[portalocker]='its lock, of the file itself, is kept on the mount, too'
locked filelock python3-filelock beside.json
