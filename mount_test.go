// The ten promises of clawfs as code: one story each, told by a shell script that
// knows nothing of clawfs. Where a promise is that something is not lost, the same
// script runs in a bare directory, too, and loses it there.
//
// docs/SEMANTICS.md has the promises in full; cmd/clawfs/mounttest holds them
// against many programs, at length.
package clawfs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// P1 validated: a registry never holds anything but one complete document.
func TestP1Validated(t *testing.T) {
	script := `
		echo '{"models":["claude"]}' > models.json
		echo '{"models":['           > broken.tmp
		cp broken.tmp models.json || echo "cp failed"
		mv broken.tmp models.json || echo "mv failed"
		cat models.json`
	expect(t, bare(t), script, `{"models":[`)
	expect(t, mounted(t), script, `
		cp failed
		mv failed
		{"models":["claude"]}`)
}

// P2 atomic: a reading sees one whole version, from its start to its end.
func TestP2Atomic(t *testing.T) {
	script := `
		echo '["old", "old", "old"]' > models.json
		exec 3< models.json
		head -c 7 <&3                              # a reader is in the middle,
		echo '["new", "new", "new"]' > models.json # somebody writes,
		cat <&3                                    # the reader goes on
		cat models.json`
	expect(t, bare(t), script, `
		["old", "new", "new"]
		["new", "new", "new"]`)
	expect(t, mounted(t), script, `
		["old", "old", "old"]
		["new", "new", "new"]`)
}

// P3 serialized: commits are in one order, and each version names its parent.
func TestP3Serialized(t *testing.T) {
	expect(t, mounted(t), `
		echo '[]' > models.json
		for i in 1 2 3 4 5 6; do
			{ jq -c ". += [$i]" models.json > $i.tmp; mv $i.tmp models.json; } &
		done
		wait
		clawfs log --json models.json | jq -r '"\(.seq) follows \(.parent // 0)"'
		jq -c sort models.json`, `
		1 follows 0
		2 follows 1
		3 follows 2
		4 follows 3
		5 follows 4
		6 follows 5
		7 follows 6
		[1,2,3,4,5,6]`)
}

// P4 no lost update: each change of a writer, relative to the version that it had
// read, is in the result, though others have written since.
func TestP4NoLostUpdate(t *testing.T) {
	script := `
		echo '{"models":["claude"]}' > models.json
		jq -c '.models += ["gpt"]'    models.json > one.tmp # both have read
		jq -c '.models += ["gemini"]' models.json > two.tmp
		mv one.tmp models.json                              # before one of them writes
		mv two.tmp models.json
		cat models.json`
	expect(t, bare(t), script, `{"models":["claude","gemini"]}`)
	expect(t, mounted(t), script, `{"models":["claude","gpt","gemini"]}`)
}

// P5 durable: each write that close or rename has acknowledged survives a SIGKILL
// of clawfs. (Power failures need a file system of their own:
// mounttest/faults_test.go.)
func TestP5Durable(t *testing.T) {
	expect(t, mounted(t), `
		echo '["closed"]'  > closed.json
		echo '["renamed"]' > renamed.tmp
		mv renamed.tmp renamed.json
		cd ..
		kill -KILL $(clawfs status --json state | jq .pid)
		clawfs unmount state
		cat state/closed.json state/renamed.json`, `
		["closed"]
		["renamed"]`)
}

// P6 killed means aborted: a writer that is killed before its close commits
// nothing. A program that exits without a close, as jq does, commits.
func TestP6KilledMeansAborted(t *testing.T) {
	script := `
		echo '{"models":["claude"]}' > models.json
		bash -c 'exec > models.json; echo "{\"models\":[]}"; kill -KILL $$' || echo "the writer was killed"
		cat models.json
		jq -cn '["jq"]' > models.json
		cat models.json`
	expect(t, bare(t), script, `
		the writer was killed
		{"models":[]}
		["jq"]`)
	expect(t, mounted(t), script, `
		the writer was killed
		{"models":["claude"]}
		["jq"]`)
}

// P7 verbatim: where nobody else has written in between, the bytes stay as they are.
func TestP7Verbatim(t *testing.T) {
	script := `
		printf '{ "b":1.50,\t"a" : 1e2,\r\n\n"\\u0063": [ ] }' > models.json
		od -c models.json
		sed -i 's/1e2/1E+2/' models.json
		od -c models.json`
	expect(t, mounted(t), script, output(t, bare(t), script))
}

// P8 plain underneath: unmounted, the directory holds what a bare one holds, and
// beside it .clawfs only.
func TestP8PlainUnderneath(t *testing.T) {
	script := `
		mkdir sub
		echo '{"models":[]}'         > models.json
		echo '{"models":["claude"]}' > sub/models.json
		echo 'no document'           > notes.txt
		echo '[1]' > renamed.tmp; mv renamed.tmp renamed.json
		echo '[2]' > removed.json; rm removed.json
		ln models.json linked.json`
	dir, control := mounted(t), bare(t)
	expect(t, control, script, "")
	expect(t, dir, script, "")
	expect(t, filepath.Dir(dir), "clawfs unmount state; diff -r "+control+" state || true", `
		Only in state: .clawfs`)
}

// P9 no quiet failure: a refusal gives the writer an error, the log a line, and the
// content a place in quarantine.
func TestP9NoQuietFailure(t *testing.T) {
	expect(t, mounted(t), `
		echo '{"models":["claude"]}' > models.json
		echo '{"models":[' > broken.txt
		cp broken.txt models.json 2>&1 || true
		until clawfs quarantine . | grep -q rejected; do sleep 0.1; done # it is there soon after the close
		grep -o 'write rejected.*"outcome": "rejected"' ../log
		clawfs show --quarantined $(clawfs quarantine --json . | jq -r .id)`, `
		cp: failed to close 'models.json': Invalid argument
		write rejected {"registry": "models.json", "outcome": "rejected"
		{"models":[`)
}

// P10 alone is verbatim: of a program that is the only one to write, nothing is
// merged. Its resets stay reset, and its removals stay removed, though others
// read meanwhile.
func TestP10AloneIsVerbatim(t *testing.T) {
	script := `
		cat > alone.py <<-'END'
			import subprocess
			def write(text):
			    open("models.json", "w").write(text)
			    subprocess.run(["cat", "models.json"])
			write('{"count": 1, "models": ["claude"]}\n')
			write('{"count": 2, "models": ["claude", "gpt"]}\n')
			write('{"count": 1, "models": ["claude"]}\n')
			write('{"count": 0}\n')
			write('{"count": 1, "models": ["claude"]}\n')
		END
		python3 alone.py`
	expect(t, mounted(t), script, output(t, bare(t), script))
}

// The stage: directories, and a shell.

// TestMain builds clawfs for all tests and has the scripts find it.
func TestMain(m *testing.M) {
	bin, err := os.MkdirTemp("", "clawfs-promises-")
	if err == nil {
		var out []byte
		if out, err = exec.Command("go", "build", "-o", bin, "./cmd/clawfs").CombinedOutput(); err != nil {
			err = fmt.Errorf("go build ./cmd/clawfs: %w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	code := m.Run()
	os.RemoveAll(bin)
	os.Exit(code)
}

// bare returns an empty directory, the control.
func bare(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mounted returns an empty directory on which clawfs is mounted, until the test ends
// or its script has unmounted it.
func mounted(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("no /dev/fuse:", err)
	}
	dir := bare(t)
	mount := "clawfs mount --log-file ../log ."
	if without := os.Getenv("CLAWFS_WITHOUT"); without != "" { // optimizations, with commas between them
		mount += " --without " + without
	}
	if transport := os.Getenv("CLAWFS_TRANSPORT"); transport != "" {
		mount += " --transport " + transport
	}
	output(t, dir, mount)
	t.Cleanup(func() {
		if output(t, "/", "findmnt -n "+dir+" || true") != "" {
			output(t, "/", "clawfs unmount "+dir)
		}
	})
	return dir
}

// output runs a script in a directory, which must succeed, and returns what it prints.
func output(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-ec", script)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.String())
	}
	return string(out)
}

// expect runs a script in a directory, and compares what it prints, tabs at the
// beginnings of lines aside.
func expect(t *testing.T, dir, script, want string) {
	t.Helper()
	got := output(t, dir, script)
	if trim := strings.NewReplacer("\n\t\t", "\n"); strings.TrimSpace(got) != strings.TrimSpace(trim.Replace(want)) {
		t.Errorf("in %s:\n%s\nwant:\n%s", dir, got, want)
	}
}
