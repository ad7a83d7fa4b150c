// Command bbolt is the peer of that name: an embedded database of Go programs,
// doing the work that scripts/bench gives to files. It keeps to the protocol of
// the Go client (../client/main.go).
//
// It is a module of its own, so that building clawfs fetches no database.
//
// A bbolt file is open in one process at a time. One writer keeps it open;
// several take turns and open it for each entry, in line for a lock of their
// own, since bbolt itself waits in steps of 50 ms.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

const text = "an entry of ordinary length, as a registry of tools or models holds it"

// task is the values of the flags, as in the Go client.
type task struct {
	work, file, id            string
	files, first, count, size int
}

// result is the line that a client prints, as in the Go client.
type result struct {
	Ops    int                `json:"ops"`
	Failed int                `json:"failed"`
	Nanos  int64              `json:"nanos"`
	CPU    int64              `json:"cpu"`
	Series map[string][]int64 `json:"series"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bbolt:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("no work given")
	}
	t := &task{work: args[0]}
	f := flag.NewFlagSet("bbolt", flag.ContinueOnError)
	f.StringVar(&t.file, "file", "", "registry, beside which the database lies; may hold a %d")
	f.IntVar(&t.files, "files", 1, "number of registries that a %d stands for")
	f.IntVar(&t.first, "first", 0, "registry to begin with")
	f.StringVar(&t.id, "id", "w", "prefix of the ids of entries")
	f.IntVar(&t.count, "count", 1, "number of operations")
	f.IntVar(&t.size, "size", 0, "bytes of a document, or entries that are there before")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	do, err := t.prepare()
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("no start signal: %w", err)
	}
	r := &result{Series: make(map[string][]int64)}
	cpu, start := cpuTime(), time.Now()
	err = do(r)
	r.Nanos, r.CPU = int64(time.Since(start)), cpuTime()-cpu
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(r))
}

func (t *task) prepare() (func(*result) error, error) {
	switch t.work {
	case "commit":
		db, err := bbolt.Open(t.database(), 0o600, nil)
		return func(r *result) error { return t.commit(db, r) }, err
	case "append":
		return t.append, t.open(t.fill)
	case "count":
		return func(r *result) error { return t.open(func(db *bbolt.DB) error { return countAdded(db, r) }) }, nil
	}
	return nil, fmt.Errorf("unknown work: %q", t.work)
}

func (t *task) database() string { return filepath.Join(filepath.Dir(t.file), "registries.bolt") }

// open runs a function with the database open, when its turn has come.
func (t *task) open(do func(*bbolt.DB) error) error {
	lock, err := os.OpenFile(t.database()+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	db, err := bbolt.Open(t.database(), 0o600, nil)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

// put stores a value durably.
func put(db *bbolt.DB, bucket, key string, value []byte) error {
	return db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(bucket))
		if err != nil {
			return err
		}
		return b.Put([]byte(key), value)
	})
}

func (t *task) commit(db *bbolt.DB, r *result) error {
	content := bytes.Repeat([]byte("x"), t.size)
	for n := range t.count {
		copy(content, fmt.Sprintf("%06d", n))
		start := time.Now()
		if err := put(db, "documents", "registry", content); err != nil {
			return err
		}
		r.note("commit", start)
	}
	return db.Close()
}

func (t *task) append(r *result) error {
	for n := range t.count {
		start := time.Now()
		key := fmt.Sprintf("%s-%d", t.id, n)
		bucket := strings.ReplaceAll(t.file, "%d", fmt.Sprint((t.first+n)%t.files))
		err := t.open(func(db *bbolt.DB) error { return put(db, bucket, key, entryOf(key)) })
		if err != nil {
			return err
		}
		r.note("append", start)
	}
	return nil
}

func entryOf(id string) []byte { return fmt.Appendf(nil, `{"id":%q,"text":%q}`, id, text) }

// fill gives a new database the entries that a registry of --size entries has.
func (t *task) fill(db *bbolt.DB) error {
	return db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(t.file))
		for n := 0; n < t.size && err == nil; n++ {
			key := fmt.Sprintf("e%d", n)
			err = b.Put([]byte(key), entryOf(key))
		}
		return err
	})
}

// countAdded counts the entries that were not there before.
func countAdded(db *bbolt.DB, r *result) error {
	return db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(key, _ []byte) error {
				if key[0] != 'e' {
					r.Ops++
				}
				return nil
			})
		})
	})
}

func (r *result) note(series string, start time.Time) {
	r.Series[series] = append(r.Series[series], int64(time.Since(start)))
	r.Ops++
}

func cpuTime() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}
