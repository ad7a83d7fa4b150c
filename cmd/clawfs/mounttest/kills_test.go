package mounttest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"clawfs/backing/cluster/etcd/etcdtest"
)

// campaign is a cluster of real members, and of mounts on which programs write, while both are killed.
type campaign struct {
	t       *testing.T
	members *etcdtest.Members
	hosts   []*campaignHost
	script  string
	flags   []string // of the mounts

	mu    sync.Mutex // guards saved
	saved []string   // entries that a program was told are saved
}

type campaignHost struct {
	*mount
	down sync.RWMutex // held while its daemon is started again
}

// flagsOf are the flags of a mount.
func (c *campaign) flagsOf(i int) []string { return append(hostFlags(c.members, i), c.flags...) }

// begin starts members and mounts, and makes the registry.
func (c *campaign) begin() {
	c.t.Helper()
	c.members = etcdtest.Start(c.t, 3)
	script, err := filepath.Abs("testdata/count.py")
	if err != nil {
		c.t.Fatal(err)
	}
	c.script = script
	for i := range 3 {
		c.hosts = append(c.hosts, &campaignHost{mount: newMount(c.t, c.flagsOf(i)...)})
	}
	write(c.t, c.hosts[0].dir, "models.json", `{"seq":0,"models":[]}`)
	same(c.t, "models.json", c.mounts(), as(`{"seq":0,"models":[]}`))
}

func (c *campaign) mounts() (all []*mount) {
	for _, h := range c.hosts {
		all = append(all, h.mount)
	}
	return all
}

// write has two programs on each host add entries until the function that it returns is called.
func (c *campaign) write(round int) (stop func()) {
	over := make(chan struct{})
	var writers sync.WaitGroup
	for i, h := range c.hosts {
		for w := range 2 {
			writers.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-over:
						return
					default:
					}
					id := fmt.Sprintf("%d-%d-%d-%d", round, i, w, n)
					h.down.RLock()
					r := run(c.t, "/", []string{"python3", c.script, filepath.Join(h.dir, "models.json"), id})
					h.down.RUnlock()
					if r.code != 0 {
						time.Sleep(50 * time.Millisecond)
						continue
					}
					c.mu.Lock()
					c.saved = append(c.saved, id)
					c.mu.Unlock()
				}
			})
		}
	}
	return func() {
		close(over)
		writers.Wait()
	}
}

// awaitSaved returns once that many entries more are saved.
func (c *campaign) awaitSaved(n int) {
	c.t.Helper()
	saved := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.saved)
	}
	before := saved()
	if !eventually(time.Minute, func() bool { return saved() >= before+n }) {
		c.t.Errorf("only %d entries are saved in a minute", saved()-before)
	}
}

// fault is one thing that happens to a cluster while programs write. All is up again when it returns.
type fault struct {
	name string
	do   func(c *campaign, r *rand.Rand)
}

var faultsOfClusters = []fault{
	{"leader killed", func(c *campaign, r *rand.Rand) { c.restart(c.leader(r)) }},
	{"member hangs, daemon killed", func(c *campaign, r *rand.Rand) {
		i := r.IntN(3)
		c.members.Signal(i, syscall.SIGSTOP)
		c.restartDaemon(r.IntN(3))
		c.members.Signal(i, syscall.SIGCONT)
	}},
	{"majority killed", func(c *campaign, r *rand.Rand) {
		i := r.IntN(3)
		c.members.Kill(i)
		c.members.Kill((i + 1) % 3)
		c.pause(r)
		c.start(i, (i+1)%3)
	}},
	{"member killed", func(c *campaign, r *rand.Rand) { c.restart(r.IntN(3)) }},
	{"leader hangs", func(c *campaign, r *rand.Rand) {
		i := c.leader(r)
		c.members.Signal(i, syscall.SIGSTOP)
		c.pause(r)
		c.pause(r)
		c.members.Signal(i, syscall.SIGCONT)
	}},
	{"daemon killed", func(c *campaign, r *rand.Rand) { c.restartDaemon(r.IntN(3)) }},
	{"all members killed", func(c *campaign, r *rand.Rand) {
		for i := range 3 {
			c.members.Kill(i)
		}
		c.pause(r)
		c.start(0, 1, 2)
	}},
	{"leader and daemon killed", func(c *campaign, r *rand.Rand) {
		i := c.leader(r)
		c.members.Kill(i)
		c.restartDaemon(r.IntN(3))
		c.start(i)
	}},
}

// leader returns the member that leads, any one where none is known to.
func (c *campaign) leader(r *rand.Rand) int {
	if i := c.members.Leader(); i >= 0 {
		return i
	}
	return r.IntN(3)
}

func (c *campaign) pause(r *rand.Rand) {
	time.Sleep(time.Duration(500+r.IntN(1500)) * time.Millisecond)
}

func (c *campaign) restart(i int) {
	c.members.Kill(i)
	time.Sleep(time.Second)
	c.start(i)
}

// start starts members at once, since none is ready before a majority is there.
func (c *campaign) start(members ...int) {
	var all sync.WaitGroup
	for _, i := range members {
		all.Go(func() { c.members.Run(i) })
	}
	all.Wait()
}

// restartDaemon kills a daemon under its programs, and mounts again when these have ended.
func (c *campaign) restartDaemon(i int) {
	h := c.hosts[i]
	h.kill()
	h.down.Lock()
	defer h.down.Unlock()
	detach(h.dir)
	h.start(c.flagsOf(i)...)
}

// check waits until all hosts have the same, with each entry that was saved, and returns how long that took.
func (c *campaign) check(round string) time.Duration {
	c.t.Helper()
	began := time.Now()
	wanted := slices.Clone(c.saved)
	slices.Sort(wanted)
	var ids []string
	text := same(c.t, "models.json", c.mounts(), func(text string) bool {
		ids = idsOf(text)
		return !slices.ContainsFunc(wanted, func(id string) bool { _, ok := slices.BinarySearch(ids, id); return !ok })
	})
	took := time.Since(began)
	var doc struct {
		Seq int `json:"seq"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		c.t.Fatal(err)
	}
	if twice := len(ids) - len(slices.Compact(slices.Clone(ids))); twice > 0 || doc.Seq != len(ids) {
		c.t.Errorf("%s: %d entries are there twice; %d were counted, and %d are there", round, twice, doc.Seq, len(ids))
	}
	return took
}

// Programs on three hosts add to one registry while members of the etcd, its leader, and daemons are killed or hang. Each
// entry that a program was told is saved is there, none is there or counted twice, and after each fault all hosts soon
// have the same. scripts/campaign-cluster runs many rounds.
func TestClusterUnderKills(t *testing.T) {
	need(t, "python3")
	if os.Getenv(takeoverVariable) != "" {
		t.Skip("a daemon of a cluster is not taken over")
	}
	rounds := setting(t, "CLAWFS_ROUNDS", 2)
	for name, flags := range map[string][]string{"offline refused": nil, "offline accepted": {"--offline=accept"}} {
		t.Run(name, func(t *testing.T) {
			if flags != nil && os.Getenv("CLAWFS_ROUNDS") == "" {
				t.Skip("TestHostsGoOnAlone has some of it")
			}
			c := &campaign{t: t, flags: flags}
			c.begin()
			var longest time.Duration
			for round := range rounds {
				r := rand.New(rand.NewPCG(uint64(round), 1))
				f := faultsOfClusters[round%len(faultsOfClusters)]
				stop := c.write(round)
				c.awaitSaved(6)
				f.do(c, r)
				c.awaitSaved(12)
				stop()
				took := c.check(fmt.Sprintf("round %d, %s", round, f.name))
				longest = max(longest, took)
				t.Logf("round %d, %s: %d saved so far, hosts are equal after %v", round, f.name, len(c.saved), took.Round(time.Millisecond))
				if t.Failed() {
					return
				}
			}
			if len(c.saved) < rounds {
				t.Errorf("only %d entries were saved", len(c.saved))
			}
			t.Logf("%d rounds, %d saved, 0 lost, 0 twice; hosts were equal after %v at most", rounds, len(c.saved), longest.Round(time.Millisecond))
		})
	}
}
