package fs

import "testing"

// Each object that the kernel remembers costs a descriptor; it is asked to
// forget before they run out.
func TestFewDescriptors(t *testing.T) {
	m := aside(t, func(c *serveConfig) { c.Descriptors = 1024 })
	c := m.newClient()
	c.do("os.mkdir('d')")
	c.do("[os.close(os.open(f'd/{i}.txt', os.O_WRONLY|os.O_CREAT)) for i in range(3000)][0]")
	c.want(`3000`, "len([e for e in os.scandir('d') if e.stat().st_size == 0])")
	c.want(`3000`, "sum(os.path.isfile(f'd/{i}.txt') for i in range(3000))")
	c.write("a.json", `{"v":1}`)
	c.want(`"{\"v\":1}"`, "open('a.json').read()")
	c.do("[os.unlink(f'd/{i}.txt') for i in range(3000)][0]")
	c.want(`[]`, "os.listdir('d')")
}
