# A repository in the directory.
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git init -q -b main .
git add f.json g.json
git commit -q -m one
git checkout -q -b other
echo '{"models":[{"id":"branch"}]}' > f.json
echo '[]' > added.json
git add -A
git commit -q -m two
git checkout -q main
cat f.json; ls
git checkout -q other
cat f.json; ls
git checkout -q main
git merge -q other
git status --porcelain
git stash list
echo '{"dirty":1}' > g.json
git stash -q
cat g.json
git stash pop -q
cat g.json
git reset -q --hard HEAD~1
cat f.json g.json
git fsck --strict 2>&1
