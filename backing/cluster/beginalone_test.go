package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
	"clawfs/txn/txntest"
)

// beginAlone begins a host that may go on without the cluster, and can't reach it.
func beginAlone(t *testing.T, engine *enginetest.Memory, name string, disk *txntest.Memory) *host {
	t.Helper()
	h, err := tryAlone(engine, name, disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	if h.storage.Status().Err == nil {
		t.Fatal("it reaches the cluster")
	}
	return h
}

func tryAlone(engine *enginetest.Memory, name string, disk *txntest.Memory) (*host, error) {
	client := engine.Client()
	client.Cut()
	return openBy(client, name, disk, cluster.Options{Offline: cluster.OfflineAccept})
}

// A host that begins alone knows its files: each is a version, which follows the cluster, or was made
// from one, and is merged. What it changes until the cluster answers is merged, too.
func TestAHostThatBeginsAlone(t *testing.T) {
	const before = `{"count":0,"items":[{"id":"1"},{"id":"2"}]}`
	const edit = `{"count":0,"items":[{"id":"2"},{"id":"edit"}]}`
	for name, test := range map[string]struct {
		edit  string // of the live file, before it begins
		lost  bool   // a power failure has lost the notes not synced
		quiet bool   // nothing is written alone
		want  func(string) bool
	}{
		"unchanged":             {"", false, true, func(s string) bool { return strings.Contains(s, `"1"`) && !strings.Contains(s, "alone") }},
		"unchanged, and writes": {"", false, false, func(s string) bool { return strings.Contains(s, `"1"`) && strings.Contains(s, "alone") }},
		"edited":                {edit, false, true, func(s string) bool { return !strings.Contains(s, `"1"`) && strings.Contains(s, "edit") }},
		"edited, and writes": {edit, false, false, func(s string) bool {
			return !strings.Contains(s, `"1"`) && strings.Contains(s, "edit") && strings.Contains(s, "alone")
		}},
		"an older one":             {`{"count":0,"items":[]}`, false, true, func(s string) bool { return strings.Contains(s, `"1"`) }},
		"an older one, and writes": {`{"count":0,"items":[]}`, false, false, func(s string) bool { return strings.Contains(s, `"1"`) && strings.Contains(s, "alone") }},
		"lost, and edited":         {edit, true, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			engine, a, b := two(t, `{"count":0,"items":[]}`)
			b.mustWrite(t, 2, before)
			agree(t, is(before), a, b)
			b.close()
			if test.edit != "" {
				b.disk.Foreign(registry, []byte(test.edit))
			}
			if test.lost {
				b.disk.LoseNotes()
			}
			for n := range many {
				if err := a.add(program(1), fmt.Sprint("a", n)); err != nil {
					t.Fatal(err)
				}
			}
			again, err := tryAlone(engine, "b", b.disk)
			if test.want == nil {
				var stranger *cluster.StrangerError
				if !errors.As(err, &stranger) || !slices.Equal(stranger.Names, []string{registry}) {
					t.Errorf("it begins: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(again.close)
			want := before
			if test.edit != "" {
				want = test.edit
			}
			if got := again.read(t); got != want {
				t.Errorf("its programs read %s", got)
			}
			if !test.quiet {
				if err := again.add(program(3), "alone"); err != nil {
					t.Fatal(err)
				}
			}
			again.client.Mend()
			text := agree(t, test.want, a, again)
			if n := strings.Count(text, `"a`); n != many && n != many+1 || strings.Count(text, "alone") > 1 {
				t.Errorf("%s", text)
			}
			await(t, "the copy to go", func() bool { return again.disk.Quarantined() == 0 })
		})
	}
}

// A host that was never in the cluster does not begin without it.
func TestAStrangerDoesNotBeginAlone(t *testing.T) {
	disk := txntest.NewMemory()
	disk.Foreign(registry, []byte(`{}`))
	_, err := tryAlone(enginetest.NewMemory(), "b", disk)
	var stranger *cluster.StrangerError
	if !errors.As(err, &stranger) || !slices.Equal(stranger.Names, []string{registry}) {
		t.Errorf("it begins: %v", err)
	}
}

// What the cluster got from others while a host was off comes there by itself, and with the
// wrong secret nothing is published.
func TestABeginningAloneMeetsTheCluster(t *testing.T) {
	engine, a, b := two(t, `{"n":1}`)
	b.close()
	if err := a.writeTo("new.json", program(1), `{"new":1}`); err != nil {
		t.Fatal(err)
	}
	again := beginAlone(t, engine, "b", b.disk)
	again.client.Mend()
	await(t, "the new registry", func() bool {
		live, _, _, _ := b.disk.Load("new.json")
		return string(live) == `{"new":1}`
	})
	again.close()
	client := engine.Client()
	client.Cut()
	var told atomic.Bool
	wrong, err := openBy(client, "b", b.disk, cluster.Options{
		Offline: cluster.OfflineAccept, Secret: []byte("of another cluster, with 32 bytes"),
		Told: func(m cluster.Message) {
			var secret *cluster.SecretError
			told.Store(told.Load() || m.Name == "" && errors.As(m.Err, &secret))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(wrong.close)
	client.Mend()
	wrong.mustWrite(t, 3, `{"n":2}`)
	await(t, "the message", told.Load)
	if got := a.read(t); got != `{"n":1}` || wrong.storage.Status().Err == nil {
		t.Errorf("the cluster has %s", got)
	}
}

// refusing is an engine that refuses a host for good.
type refusing struct{ cluster.Engine }

func (refusing) Get(context.Context, string) (cluster.Entry, error) {
	return cluster.Entry{}, &cluster.RefusedError{Err: errors.New("permission denied")}
}

// A host that the cluster refuses does not begin alone.
func TestARefusedHostDoesNotBeginAlone(t *testing.T) {
	_, _, b := two(t, `{}`)
	b.close()
	_, end, err := cluster.Open(context.Background(), replica{b.disk}, refusing{b.client}, cluster.Options{Cluster: "test", Host: "b", Offline: cluster.OfflineAccept})
	if err == nil {
		end()
		t.Fatal("it begins")
	}
	if !isUnavailable(err) {
		t.Error(err)
	}
}
