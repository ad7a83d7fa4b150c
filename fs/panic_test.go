package fs

import (
	"strings"
	"testing"
)

// A fault in a handler is one request's EIO.
func TestPanicInHandler(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.PanicOn = "faulty.json" })
	c := m.newClient()
	c.write("faulty.json", `{"v":1}`)
	putFile(t, m.behind("faulty.json"), `{"v":20}`)
	c.want(`"EIO"`, "os.open('faulty.json', os.O_RDONLY)")
	c.want(`"{\"v\":20}"`, "open('faulty.json').read()")
	c.write("a.json", `{"v":1}`)
	c.want(`"{\"v\":1}"`, "open('a.json').read()")
	c.want(`["a.json","faulty.json"]`, "sorted(os.listdir('.'))")
	log := m.stderr.String()
	if !strings.Contains(log, "panic in a request") || strings.Contains(log, "a fault on purpose") {
		t.Error("the panic is not logged, or what was thrown is:\n", log)
	}
}
