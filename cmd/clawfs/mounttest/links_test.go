package mounttest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The facts that the names of one file show, after each step: content, the equality of inode
// numbers, and the number of links. It must be the same as in a bare directory.
const linksLook = `
look() {
	for f in a.json b.json sub/c.json d.txt old.json older.json tmp.json tmp; do
		if [ -e $f ]; then printf '%s=%s/%s/%s ' $f "$(tr -d '\n' <$f)" "$(stat -c %h $f)" "$([ $f -ef a.json ] && echo a)$([ $f -ef b.json ] && echo b)"; fi
	done
	echo
}
`

var linkSteps = []string{
	`echo '{"n":1}' >a.json; ln a.json b.json`,
	`echo '{"n":2,"longer":"xxxxxxxxxxxxxxxxxxxxxxxxxxxx"}' >a.json`,
	`echo '{"n":3}' >b.json`,
	`python3 -c 'open("b.json").read(); open("a.json","w").write("{\"n\":3,\"x\":\"y\"}"); open("b.json","w").write("{\"n\":5}")'`, // one program, by two names
	`mkdir sub; ln b.json sub/c.json; node -e 'fs.writeFileSync("sub/c.json", JSON.stringify({n:4}))'`,
	`python3 -c 'import os; os.truncate("a.json", 7); open("a.json","r+").write("[5]    ")'`,
	`ln a.json d.txt; echo '{"n":6}' >a.json`,
	`echo '{"n":7}' >d.txt`,
	`python3 -c 'open("a.json").read(); open("d.txt","w").write("{\"n\":7,\"x\":\"y\"}"); open("a.json","w").write("{\"n\":5}")'`, // by a name that is no registry's
	`jq -c .n=8 a.json >tmp; cat tmp >b.json; rm tmp`,
	`chmod 640 d.txt; stat -c %a a.json b.json; chmod 600 b.json; stat -c %a a.json d.txt`,
	`mv a.json b.json 2>&1 | sed 's/.*are the/are the/'`, // it says that both are one file
	`python3 -c 'import os; os.rename("a.json","b.json")'`,
	`echo '{"n":9}' >tmp; mv tmp a.json`, // replaces one name only
	`echo '{"n":10}' >b.json`,
	`rm b.json`,
	`echo '{"n":11}' >sub/c.json`,
	`mv sub/c.json b.json; echo '{"n":12}' >d.txt`,
	`rm d.txt; echo '{"n":13}' >b.json`,
	`echo '{"n":14}' >tmp; ln tmp tmp.json; rm -f a.json; ln tmp.json a.json; rm tmp`, // a plain file that gets a registry's name
	`echo '{"n":15}' >a.json`,
	`rm tmp.json; echo '{"n":16}' >a.json`,
	`echo '[' >tmp; ln tmp tmp.json 2>/dev/null; rm -f tmp tmp.json`,
	`ln b.json d.txt; echo '{"n":17}' >b.json`,
	`touch sub/c.json; ln sub/c.json tmp.json; echo '{"n":18}' >tmp.json`,
	`cp sub/c.json tmp; mv tmp sub/c.json; echo '{"n":19}' >tmp.json`, // the same content, and a file of its own
	`cp b.json tmp.json; mv tmp.json b.json; echo '{"n":20}' >d.txt`,
	`rm a.json sub/c.json; touch a.json; ln a.json sub/c.json; touch tmp.json; mv tmp.json a.json; echo '{"n":21}' >sub/c.json`,
	`echo '{"n":23}' >tmp; ln tmp tmp.json; rm -f a.json; mv tmp a.json; echo '{"n":24}' >tmp.json; rm tmp.json`, // a free name
	`echo '{"n":25}' >tmp; ln tmp tmp.json; mv tmp a.json; echo '{"n":26}' >a.json; rm tmp.json`,                 // a registry's name
	`ln a.json tmp.json; mv a.json tmp; mv tmp a.json; echo '{"n":27}' >a.json; rm tmp.json`,                     // aside, and back
	`echo '{"n":28}' >tmp; rm a.json; ln tmp a.json; echo '{"n":29}' >tmp; echo '{"n":30}' >a.json; rm tmp`,      // just after a removal
	`: >tmp; ln tmp tmp.json; rm a.json; mv tmp a.json; echo '{"n":31}' >tmp.json; rm tmp.json`,                  // a placeholder
	`rm a.json; touch a.json; ln a.json tmp.json; touch tmp; mv tmp tmp.json; echo '{"n":22}' >a.json; rm tmp.json`,
}

// Names that were made before the mount, one of them outside the directory: a backup by
// cp -al, for instance.
var oldLinkSteps = []string{
	`echo '{"n":1}' >old.json`,
	`echo '{"n":2}' >older.json`,
	`echo '{"n":3}' >tmp; mv tmp old.json`,
	`echo '{"n":4}' >old.json`,
	`echo '{"n":5}' >older.json`,
	`rm older.json; ln old.json older.json; cp old.json tmp; mv tmp old.json; echo '{"n":6}' >older.json`,
}

func TestHardLinksAreAsInABareDirectory(t *testing.T) {
	t.Parallel()
	need(t, "node", "python3", "jq")
	bare := filepath.Join(t.TempDir(), "bare")
	if err := os.Mkdir(bare, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := newDir(t)
	for _, d := range []string{bare, dir} {
		succeed(t, d, bash(`echo '{"n":0}' >old.json; ln old.json older.json; ln old.json ../outside`))
	}
	m := mountOn(t, dir)
	for _, step := range slices.Concat(linkSteps, oldLinkSteps) {
		script := bash(linksLook + step + "\nlook")
		want, got := succeed(t, bare, script), succeed(t, m.dir, script)
		if diff := cmp.Diff(strings.Fields(want), strings.Fields(got)); diff != "" {
			t.Errorf("%s (-bare +mount):\n%s", step, diff)
		}
	}
	m.unmount()
	look := bash(linksLook + "look; cat ../outside")
	if diff := cmp.Diff(succeed(t, bare, look), succeed(t, m.dir, look)); diff != "" {
		t.Errorf("unmounted (-bare +was mounted):\n%s", diff)
	}
}

// A file that a rename puts onto a registry is one of its own. A file that is written there,
// and goes back by a rename, is not taken for the file that the other names have.
func TestRenamesOfAFileWithOtherNames(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	bare := t.TempDir()
	m := mountOn(t, newDir(t))
	for _, names := range []string{"a.json l.json", "a.json d.txt", "t.tmp l.json", "t.tmp d.txt"} {
		script := bash("set -- " + names + `; rm -f *
echo '{"n":1}' >$1; ln $1 $2; echo '{"n":2}' >b.json; mv $1 b.json; cat b.json $2
echo '{"n":3}' >b.json; python3 -c 'import os, sys; os.rename("b.json", sys.argv[1])' $2; cat $2`)
		if want, got := succeed(t, bare, script), succeed(t, m.dir, script); got != want {
			t.Errorf("%s: the mount shows %q, a bare directory %q", names, got, want)
		}
	}
}
