package mounttest

import (
	"os"
	"os/exec"
	"testing"
)

// Writers in the languages that are here read, another program makes fourteen ordinary edits,
// and they write all of it back: values that they only spell anew are as the other one left
// them. scripts/campaign-respell without this pattern runs all writers.
func TestRespellingWriters(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the campaign mounts as root")
	}
	need(t, "bash", "python3", "node", "perl", "jq")
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(top+"/scripts/campaign-respell", "--clawfs", binary, "--installed", "--only", `^(node|python|python, 6 decimals|JSON::PP|jq|PHP, arrays|lua-cjson|jshon)$`)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
