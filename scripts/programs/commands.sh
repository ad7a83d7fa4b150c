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
