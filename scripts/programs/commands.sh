# Commands.
# shellcheck shell=bash disable=SC2154,SC2034,SC2016,SC2086,SC2089,SC2090

program npm npm:
npm_version() { npm --version; }
npm_start() { echo '{"name":"a","version":"1.0.0"}' >package.json; }
npm_alone() {
  npm_start
  mkdir -p dep && echo '{"name":"dep","version":"2.0.0"}' >dep/package.json
  npm pkg set scripts.test=true author.name=A
  npm version minor --no-git-tag-version
  npm install --silent --no-audit --no-fund ./dep
  npm pkg delete author
  npm ls --all
  npm uninstall --silent --no-audit --no-fund dep
}
npm_add() { npm pkg set "config.$1=v"; }
npm_count() { jq '.config | keys | length' package.json; }
masks[npm]='/[0-9-]+T[0-9_]+Z-debug/d'

program yarn npm:
yarn_version() { yarn --version; }
yarn_start() { echo '{"name":"a","version":"1.0.0","license":"MIT"}' >package.json; for i in 1 2 3 4 5 6 7 8 9 10; do mkdir "k$i"; echo "{\"name\":\"k$i\",\"version\":\"1.0.0\"}" >"k$i/package.json"; done; }
yarn_alone() {
  yarn_start
  yarn config set version-git-tag false
  yarn --offline --silent version --minor
  yarn --offline --silent add file:./k1
  yarn --offline --silent add file:./k2
  yarn --offline --silent remove k1
}
masks[yarn]='s/in [0-9.]+m?s/in TIME/; s/-[0-9]{13}-[0-9.]+/-TIME/g; s/-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/-ID/g; s#HASH##; s/"?[a-z_]*[mM]odified[A-Z a-z]*"?: .*//; s/Done in.*//'

program pnpm npm:
pnpm_version() { pnpm --version; }
pnpm_start() { npm_start; }
pnpm_add() { pnpm pkg set "config.$1=v"; }
pnpm_count() { npm_count; }

program typescript npm:
typescript_version() { tsc --version; }
typescript_alone() {
  tsc --init --strict
  echo 'export const a: number = 1;' >a.ts
  printf '%s\n' '{"compilerOptions":{"incremental":true,"outDir":"out","target":"es2020","module":"commonjs","skipLibCheck":true,"types":[]},"files":["a.ts"]}' >build.json
  tsc -p build.json && cat out/*.js && tsc -p build.json --listEmittedFiles
}
notes[typescript]='differs: `tsc --init` writes a `tsconfig.json` with comments, which is refused; `--json5 tsconfig.json`, or no registry: `--ignore tsconfig*.json`'

program prettier npm:
prettier_version() { prettier --version; }
prettier_alone() { echo '{"b":[1,2],"a":{"x":1}}' >p.json; prettier --write p.json; prettier --check p.json; cp p.json q.json; prettier --write .; }
masks[prettier]='s/ [0-9]+ms/ TIME/'

program sort-package-json npm:
sort_package_json_version() { sort-package-json --version; }
sort_package_json_alone() { echo '{"version":"1.0.0","name":"a"}' >package.json; sort-package-json; sort-package-json --check; }

program json npm:
json_version() { jq -r .version "$CACHE/node_modules/json/package.json"; }
json_start() { echo '{}' >j.json; }
json_alone() { json_start; json -I -f j.json -e 'this.a=1'; json -I -f j.json -e 'this.b=[1.50,"x"]'; json -f j.json b.0; }
json_add() { json -I -f j.json -e "this.$1=1"; }
notes[json]='differs: `json -I` renames its temporary file while it is still empty, which is refused (`EILSEQ`): use `json … <f >t && mv t f`'
json_count() { jq 'keys | length' j.json; }

program dot-json npm:
dot_json_version() { jq -r .version "$CACHE/node_modules/dot-json/package.json"; }
dot_json_start() { echo '{}' >d.json; }
dot_json_alone() { dot_json_start; dot-json d.json a.b 1; dot-json d.json c x; dot-json d.json c --delete; dot-json d.json a; }
dot_json_add() { dot-json d.json "$1" 1; }
dot_json_count() { jq 'keys | length' d.json; }

program jq jq
jq_version() { jq --version; }
jq_start() { echo '{}' >j.json; }
jq_alone() { jq_start; jq '.a=1' j.json >t && mv t j.json; jq '.b=[.a]' j.json >t.json && mv t.json j.json; jq -r .b[0] j.json; jq 'del(.a)' j.json | sponge j.json; jq --arg x "$(cat j.json)" -n '$x | fromjson | .c=1' >j.json; }
jq_add() { jq ".$1=1" j.json >"j.$1.tmp" && mv "j.$1.tmp" j.json; }
jq_count() { jq 'keys | length' j.json; }

program jo jo
jo_version() { jo -v; }
jo_alone() { jo a=1 b[]=x b[]=y >j.json; jo -f j.json c=2 >t.json && mv t.json j.json; cat j.json; }

program git git
git_version() { git --version; }
git_alone() {
  git config --global user.name a; git config --global user.email a@b; git config --global init.defaultBranch main
  export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
  git init -q . && echo '{"a":1}' >a.json && git add . && git commit -qm one
  git checkout -qb side && echo '{"a":1,"b":2}' >a.json && git commit -qam two
  git checkout -q main && cat a.json && echo '{"a":3}' >a.json && git stash -q && git status --short && git stash pop -q && cat a.json
  git commit -qam three; git merge -q side -X theirs -m four && cat a.json; git reset -q --hard HEAD~1 && cat a.json
  git rm -q a.json && git commit -qm five && git log --format=%s && { git fsck 2>&1 | grep -v dangling; git gc -q; git status --short; }
}
masks[git]='/^== .\/\.git\/(index|logs|objects)/,/^== /d; s#\.git/objects/.*#OBJECT#; s#pack-[0-9a-f]+#pack#'

program gh gh
gh_version() { gh --version; }
gh_alone() { export GH_CONFIG_DIR=$PWD/gh; gh config set editor vim; gh alias set co 'pr checkout'; gh config get editor; gh alias list; gh alias delete co; }
notes[gh]='its files are YAML: plain files'

program aws awscli
aws_version() { /usr/bin/aws --version; }
aws_alone() { export AWS_CONFIG_FILE=$PWD/config AWS_SHARED_CREDENTIALS_FILE=$PWD/credentials; /usr/bin/aws configure set region eu-west-1; /usr/bin/aws configure set aws_access_key_id none --profile p; /usr/bin/aws configure get region; /usr/bin/aws configure get aws_access_key_id --profile p; }
notes[aws]='its files are INI: plain files'

program sqlite3 sqlite3
sqlite3_version() { sqlite3 --version | cut -d' ' -f1; }
sqlite3_start() { sqlite3 s.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(k TEXT)' >/dev/null; }
sqlite3_alone() { sqlite3_start; sqlite3 s.db "INSERT INTO t VALUES('a'); SELECT json_group_array(k) FROM t" >s.json; cat s.json; sqlite3 s.db 'PRAGMA integrity_check; VACUUM'; }
sqlite3_add() { sqlite3 -cmd '.timeout 20000' s.db "INSERT INTO t VALUES('$1')"; }
sqlite3_count() { sqlite3 s.db 'SELECT count(*) FROM t'; }
notes[sqlite3]='databases are plain files'

program git-conflict git
git_conflict_version() { git --version; }
# two_branches: both have changed a.json, and main is to have both.
two_branches() {
  export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
  export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
  git init -qb main "$1" && cd "$1" || return
  [ -z "${2-}" ] || echo "$2" >.gitattributes
  echo '{"a":1}' >a.json && git add -A && git commit -qm one
  git checkout -qb side && echo '{"a":2}' >a.json && git commit -qam two
  git checkout -q main && echo '{"a":3}' >a.json && git commit -qam three
}
git_conflict_alone() {
  (two_branches markers; git merge side; cat a.json; git checkout --ours a.json; cat a.json; git merge --abort; cat a.json; git cherry-pick side; git cherry-pick --abort; git status --short)
  (two_branches attribute '*.json -merge'; git merge side; cat a.json; git checkout --theirs a.json; git add a.json; git commit -qm four; cat a.json; git status --short)
  git -C markers fsck; git -C attribute fsck; rm -r markers/.git attribute/.git
}
notes[git-conflict]='differs: where git writes conflict markers into a registry the file is empty; `*.json -merge` in `.gitattributes` has it write none ([OPERATIONS.md](OPERATIONS.md#in-a-git-repository-an-npm-package-an-image))'

program sponge moreutils
sponge_version() { dpkg-query -Wf '${Version}' moreutils; }
sponge_start() { echo '{}' >j.json; }
sponge_alone() { sponge_start; jq '.a=1' j.json | sponge j.json; jq '.b=2' j.json | sponge j.json; jq -c 'del(.a)' j.json | sponge j.json; cat j.json; echo '{"c":1}' | sponge new.json; }
sponge_add() { jq ".$1=1" j.json | sponge j.json; }
sponge_count() { jq 'keys | length' j.json; }

program gojq gojq
gojq_version() { gojq --version; }
gojq_start() { echo '{}' >j.json; }
gojq_alone() { gojq_start; for n in a b; do gojq ".$n=1.50" j.json >t && mv t j.json; gojq ".$n.list=[1,{}]" -n >n.json; done; cat j.json; }
gojq_add() { gojq ".$1=1" j.json >"j.$1.tmp" && mv "j.$1.tmp" j.json; }
gojq_count() { jq 'keys | length' j.json; }

program gron gron
gron_version() { gron --version; }
gron_start() { echo '{}' >j.json; }
gron_add() { { gron j.json; echo "json.$1 = 1;"; } | gron --ungron >"j.$1.tmp" && mv "j.$1.tmp" j.json; }
gron_alone() { gron_start; for n in a b; do gron_add $n; done; gron j.json | grep -v 'json.a' | gron --ungron >t; cp t j.json; cat j.json; }
gron_count() { jq 'keys | length' j.json; }

program yq go:github.com/mikefarah/yq/v4@v4.54.3
yq_version() { yq --version; }
yq_start() { echo '{"a": 1}' >j.json; }
yq_alone() { yq_start; yq -i '.b = {"c": [1.50, "x"]}' j.json; cat j.json; yq -i 'del(.a)' j.json; cat j.json; yq -P j.json; yq -o json '.d = 2' j.json >t && mv t j.json; }
yq_add() { yq -i ".$1 = 1" j.json; }
yq_count() { jq '[keys[] | select(startswith("k"))] | length' j.json; }
notes[yq]='`yq -i -o json` with several results writes several documents: it is told so (`EINVAL`), and says so'

program yq-python yq
yq_python_version() { dpkg-query -Wf '${Version}' yq; }
yq_python_start() { echo '{}' >j.json; }
yq_python_alone() { yq_python_start; /usr/bin/yq '.a=1' j.json | sponge j.json; /usr/bin/yq -c '.b=[.a]' j.json >t && mv t j.json; cat j.json; echo 'a: [1, 2]' >y.yaml; /usr/bin/yq . y.yaml >y.json; /usr/bin/yq -yi '.b=1' y.yaml; }
yq_python_add() { /usr/bin/yq ".$1=1" j.json >"j.$1.tmp" && mv "j.$1.tmp" j.json; }
yq_python_count() { jq 'keys | length' j.json; }
notes[yq-python]='`yq -yi` makes YAML of a JSON file, which is refused'

program dasel go:github.com/tomwright/dasel/v2/cmd/dasel@v2.8.1
dasel_version() { dasel --version; }
dasel_start() { echo '{"a": 1}' >j.json; }
dasel_alone() { dasel_start; dasel put -f j.json -t int -v 2 b; cat j.json; dasel put -f j.json -t string -v x c; dasel delete -f j.json a; cat j.json; dasel -f j.json -w yaml >j.yaml; }
dasel_add() { dasel put -f j.json -t int -v 1 "$1"; }
dasel_count() { jq '[keys[] | select(startswith("k"))] | length' j.json; }

program composer composer
composer_version() { COMPOSER_ALLOW_SUPERUSER=1 composer --version --no-ansi; }
composer_run() { COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=$HOME/composer COMPOSER_DISABLE_NETWORK=1 composer --no-ansi --no-interaction "$@"; }
composer_start() { echo '{"name": "a/b", "license": "MIT"}' >composer.json; }
composer_alone() { composer_run init --name a/b; composer_run config extra.a 1; composer_run config extra.b 2; composer_run config --unset extra.a; composer_run config sort-packages true; composer_run validate --no-check-all; composer_run dump-autoload; }
composer_add() { composer_run config "extra.$1" v; }
composer_count() { jq '.extra | keys | length' composer.json; }
masks[composer]='s/ComposerAutoloaderInit[0-9a-f]+/ID/g; s/ComposerStaticInit[0-9a-f]+/ID/g; s/[0-9a-f]{32}/ID/g'

program json-server npm:
json_server_version() { jq -r .version "$CACHE/node_modules/json-server/package.json"; }
json_server_alone() {
  local pid port i
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  echo '{"posts":[{"id":1,"title":"x"}]}' >db.json
  json-server --quiet --host 127.0.0.1 --port "$port" db.json &
  pid=$!
  for i in $(seq 100); do curl -sf "http://127.0.0.1:$port/posts" && break; sleep 0.2; done
  curl -s -H 'Content-Type: application/json' -d '{"title":"y"}' "http://127.0.0.1:$port/posts"
  curl -s -X PATCH -H 'Content-Type: application/json' -d '{"title":"z"}' "http://127.0.0.1:$port/posts/1"
  for i in $(seq 100); do grep -q '"z"' db.json && break; sleep 0.1; done
  cat db.json
  curl -s -X DELETE "http://127.0.0.1:$port/posts/1"
  for i in $(seq 100); do grep -q '"z"' db.json || break; sleep 0.1; done
  kill "$pid"
  wait "$pid" 2>/dev/null
  cat db.json
}
