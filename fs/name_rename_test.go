package fs

import (
	"os"
	"os/exec"
	"testing"
)

// shell runs a script with a mount as working directory.
func (m *mount) shell(script string) string {
	m.t.Helper()
	cmd := exec.Command("bash", "-euc", script)
	cmd.Dir = m.dir
	return run(m.t, cmd)
}

func TestRegistryBecomesPlainAndComesBack(t *testing.T) {
	m := aside(t)
	m.shell(`echo '{"v":1}' > a.json; mv a.json a.bak`)
	if got := m.shell(`ls; cat a.bak`); got != "a.bak\n{\"v\":1}\n" {
		t.Errorf("after it went: %q", got)
	}
	m.shell(`echo 'no json' > a.bak; ! mv a.bak a.json 2> /dev/null; test ! -e a.json; echo '{"v":2}' > a.bak; mv a.bak a.json`)
	if got := m.shell(`ls; cat a.json`); got != "a.json\n{\"v\":2}\n" {
		t.Errorf("after it came back: %q", got)
	}
	m.shell(`echo '{"v":3}' > a.json; ! echo '{' | tee a.json > /dev/null 2>&1`)
	wantFile(t, m.behind("a.json"), "{\"v\":3}\n")
}

// mv takes EINVAL for something else; both names stay as they were.
func TestRefusedRename(t *testing.T) {
	m := aside(t)
	c := m.newClient()
	c.write("a.json", `{"v":1}`)
	c.write("a.tmp", `{"v":`)
	c.want(`"EILSEQ"`, "os.rename('a.tmp', 'a.json')")
	c.want(`"EILSEQ"`, "os.rename('a.tmp', 'b.json')")
	c.want(`"EILSEQ"`, "os.link('a.tmp', 'b.json')")
	c.want(`["a.json","a.tmp"]`, "sorted(os.listdir('.'))")
	wantFile(t, m.behind("a.json"), `{"v":1}`)
	wantFile(t, m.behind("a.tmp"), `{"v":`)
	if !holds(t, m.behind(".clawfs/quarantine/*"), `{"v":`) {
		t.Error("what was refused is not in quarantine")
	}
}

func TestRegistryMovesToAnotherName(t *testing.T) {
	m := aside(t)
	m.shell(`echo 1 > a.json; echo 2 > a.json; mv a.json b.json; test ! -e a.json; cat b.json; echo 3 > b.json`)
	wantFile(t, m.behind("b.json"), "3\n")
	if !holds(t, m.behind(".clawfs/history/b.json/@[0-9]*"), "1\n") {
		t.Error("the history did not move with it")
	}
}

func TestDirectoryMovesWithItsHistories(t *testing.T) {
	m := aside(t)
	m.shell(`mkdir d; for i in 1 2 3; do echo "$i" > d/a.json; done; mv d e; echo 4 > e/a.json; echo 5 > e/a.json`)
	wantFile(t, m.behind("e/a.json"), "5\n")
	for _, content := range []string{"1\n", "2\n", "3\n", "4\n"} {
		if !holds(t, m.behind(".clawfs/history/e/a.json/@[0-9]*"), content) {
			t.Errorf("%q is not in the history", content)
		}
	}
	if _, err := os.Stat(m.behind(".clawfs/history/d/a.json")); !os.IsNotExist(err) {
		t.Error("a history is left by the old name:", err)
	}
}

// Names of one file stay that: all hold content that is committed by one of them, be it a
// registry's or not; a rename replaces one name only.
func TestHardLinkStaysOneFile(t *testing.T) {
	for _, by := range []string{"a.json", "b.json"} {
		t.Run(by, func(t *testing.T) {
			m := aside(t)
			m.shell(`echo '{"v":1}' > a.json; ln a.json b.json; ln a.json c.bak; cat b.json c.bak; echo '{"v":2}' > ` + by)
			for _, name := range []string{"a.json", "b.json", "c.bak"} {
				wantFile(t, m.path(name), "{\"v\":2}\n")
				wantFile(t, m.behind(name), "{\"v\":2}\n")
			}
			m.shell(`echo '{"v":3}' > t.tmp; mv t.tmp ` + by)
			for _, name := range []string{"a.json", "b.json", "c.bak"} {
				want := "{\"v\":2}\n"
				if name == by {
					want = "{\"v\":3}\n"
				}
				wantFile(t, m.path(name), want)
				wantFile(t, m.behind(name), want)
			}
		})
	}
}

// Exchanged names: a file that becomes a registry must be fit for it.
func TestExchange(t *testing.T) {
	m := aside(t)
	m.shell(`echo 1 > a.json; echo 2 > b.json; echo x > c.txt`)
	if out, err := exec.Command("mv", "--exchange", m.path("a.json"), m.path("b.json")).CombinedOutput(); err != nil {
		t.Skipf("mv exchanges nothing: %s", out)
	}
	if got := m.shell(`cat a.json b.json; ! mv --exchange a.json c.txt 2> /dev/null; cat a.json c.txt`); got != "2\n1\n2\nx\n" {
		t.Errorf("exchanged: %q", got)
	}
}
