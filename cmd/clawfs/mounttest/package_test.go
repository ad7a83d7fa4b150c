package mounttest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packageRoot is a directory into which dpkg installs, with a database of its own.
type packageRoot struct {
	t   *testing.T
	dir string
}

func newPackageRoot(t *testing.T) packageRoot {
	t.Helper()
	r := packageRoot{t, t.TempDir()}
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/log"} {
		if err := os.MkdirAll(r.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, r.dir, "var/lib/dpkg/status", "")
	return r
}

func (r packageRoot) path(name string) string { return filepath.Join(r.dir, name) }

// dpkg runs dpkg on the root. The dependencies of the package are not there.
func (r packageRoot) dpkg(args ...string) {
	r.t.Helper()
	succeed(r.t, "/", append([]string{"dpkg", "--root=" + r.dir, "--log=" + r.path("var/log/dpkg.log"), "--force-depends",
		"--force-script-chrootless"}, args...))
}

// files lists the files in the root, dpkg's own aside.
func (r packageRoot) files() []string {
	r.t.Helper()
	var names []string
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, r.dir+"/")
		if name == "var/lib/dpkg" {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() && name != "var/log/dpkg.log" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return names
}

// buildPackage returns the path of a Debian package of the program under test.
func buildPackage(t *testing.T) string {
	t.Helper()
	need(t, "git", "dpkg", "dpkg-deb")
	if err := exec.Command("git", "rev-parse", "--verify", "HEAD").Run(); err != nil {
		t.Skip("the package is made of what is committed, and here is no repository")
	}
	clawfs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dist := filepath.Join(t.TempDir(), "dist")
	succeed(t, ".", []string{top + "/scripts/package", "--program", clawfs, "--to", dist})
	debs, err := filepath.Glob(filepath.Join(dist, "clawfs_*.deb"))
	if err != nil || len(debs) != 1 {
		t.Fatalf("packages are %v, %v", debs, err)
	}
	return debs[0]
}

// The Debian package is installed, used and purged. It leaves the files of users.
// (scripts/try-package does it in a whole system, by apt.)
func TestPackage(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("dpkg wants root")
	}
	t.Parallel()
	deb := buildPackage(t)
	if depends := succeed(t, "/", []string{"dpkg-deb", "--field", deb, "Depends"}); depends != "fuse3\n" {
		t.Errorf("it depends on %q", depends)
	}
	r := newPackageRoot(t)
	r.dpkg("--install", deb)
	for _, name := range []string{"usr/bin/clawfs", "usr/sbin/mount.fuse.clawfs", "usr/lib/systemd/system/clawfs@.service",
		"usr/lib/systemd/user/clawfs@.service", "usr/share/man/man1/clawfs.1.gz", "usr/share/bash-completion/completions/clawfs",
		"usr/share/zsh/vendor-completions/_clawfs", "usr/share/fish/vendor_completions.d/clawfs.fish", "usr/share/doc/clawfs/copyright"} {
		if info, err := os.Stat(r.path(name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, scope := range []string{"system", "user"} {
		text := read(t, r.path("usr/lib/systemd"), scope+"/clawfs@.service")
		for _, want := range []string{"ExecStart=:/usr/bin/clawfs mount --foreground", "Type=notify", "Restart=on-failure", "[Install]\nWantedBy="} {
			if !strings.Contains(text, want) {
				t.Errorf("the unit of the %s has no %q:\n%s", scope, want, text)
			}
		}
		if strings.Contains(text, os.TempDir()) || strings.Contains(text, "--allow-other") != (scope == "system") {
			t.Errorf("the unit of the %s:\n%s", scope, text)
		}
	}

	dir := newDir(t)
	write(t, dir, "models.json", tenModels)
	write(t, dir, "notes.txt", "mine")
	useInstalled(t, r, dir)
	before := tree(t, dir)

	if err := os.MkdirAll(r.path("var/log/clawfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, r.dir, "var/log/clawfs/srv.log", "mounted")
	r.dpkg("--remove", "clawfs")
	if left := r.files(); !slices.Equal(left, []string{"var/log/clawfs/srv.log"}) {
		t.Errorf("removed, it leaves %q", left)
	}
	r.dpkg("--purge", "clawfs")
	if left := r.files(); len(left) > 0 {
		t.Errorf("purged, it leaves %q", left)
	}
	if after := tree(t, dir); after != before {
		t.Errorf("purging changed what is not the package's:\n%s\n%s", before, after)
	}
}

// useInstalled mounts with the program of the package, and as mount(8) does, with
// its helper.
func useInstalled(t *testing.T, r packageRoot, dir string) {
	t.Helper()
	need(t, "jq")
	log := filepath.Join(t.TempDir(), "log")
	unmount := []string{r.path("usr/bin/clawfs"), "unmount", dir}
	t.Cleanup(func() {
		if len(mountsBelow(dir)) > 0 {
			run(t, "/", append(unmount, "--force"))
		}
	})
	for i, line := range [][]string{
		{r.path("usr/bin/clawfs"), "mount", "--log-file", log, dir},
		{r.path("usr/sbin/mount.fuse.clawfs"), dir, dir, "-o", "rw,log-file=" + log},
	} {
		succeed(t, "/", line)
		if len(mountsBelow(dir)) != 1 {
			t.Errorf("%q has mounted nothing", line)
		}
		if i == 0 {
			succeed(t, dir, program(t, shell, "jq-mv", filepath.Join(dir, "models.json"), "packaged"))
		}
		if got, err := models(filepath.Join(dir, "models.json")); err != nil || !slices.Contains(got, "packaged") {
			t.Errorf("the models are %q, %v", got, err)
		}
		succeed(t, "/", unmount)
	}
}
