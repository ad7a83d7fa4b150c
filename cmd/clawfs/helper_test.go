package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHelperArgs(t *testing.T) {
	cases := []struct{ args, want, err string }{
		{"/d /d", "mount -- /d", ""},
		{"clawfs /d -o rw,noatime,nofail,x-systemd.automount,comment=mine", "mount -- /d", ""},
		{"-v -n /d /d/ -o max-size=1MiB,allow_other -t fuse.clawfs -oregistry=*.conf,registry=*.json", "mount --max-size=1MiB --allow-other --registry=*.conf --registry=*.json -- /d/", ""},
		{"/d /d -o rw -N ns", "mount -- /d", ""},
		{"/d /d -sfv -o rw", "mount -- /d", ""},
		{"/d /d -oreject-stale -Nv -sfn", "mount --reject-stale -- /d", ""},
		{"/d", "", "a mount helper wants a source and a directory"},
		{"/d /d /e", "", "a mount helper wants a source and a directory"},
		{"/d /e", "", "clawfs is mounted in place, so the source must be /e, too, or the word clawfs"},
		{"/d /d -o", "", "-o wants a value"},
		{"/d /d -o ro", "", "the option ro can't be had"},
		{"/d /d -o foreground", "", "there is no option foreground"},
		{"/d /d -o ready-fd=3", "", "there is no option ready-fd"},
		{"/d /d -o colour=red", "", "there is no option colour"},
		{"/d /d -o max-size", "", "the option max-size wants a value"},
	}
	for _, c := range cases {
		got, verbose, err := helperArgs(strings.Fields(c.args))
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: %v, want %s", c.args, err, c.err)
			}
			continue
		}
		if want := strings.Contains(" "+c.args, " -v") || strings.Contains(c.args, " -sfv"); verbose != want {
			t.Errorf("%s: verbose is %v", c.args, verbose)
		}
		if diff := cmp.Diff(strings.Fields(c.want), got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.args, err, diff)
		}
	}
}

func TestIsHelper(t *testing.T) {
	for program, want := range map[string]bool{
		"/sbin/mount.fuse.clawfs": true, "mount.clawfs": true, "/usr/bin/clawfs": false, "clawfs": false,
	} {
		if isHelper(program) != want {
			t.Errorf("%s: %v", program, !want)
		}
	}
}
