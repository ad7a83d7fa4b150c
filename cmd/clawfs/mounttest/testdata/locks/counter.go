// Command counter counts under a lock on the registry itself, as cmd/go's lockedfile does:
// it gives the lock back before it closes the file. In the way "threads" eight goroutines
// share the rounds.
package main

import (
	"encoding/json"
	"io"
	"log"
	"os"
	"strconv"
	"sync"
	"syscall"
)

func count(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	defer func() { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }()
	old, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	var d map[string]int
	if err := json.Unmarshal(old, &d); err != nil {
		return err
	}
	d["hits"]++
	text, _ := json.Marshal(d)
	if len(text) > len(old) {
		if _, err := f.WriteAt(text[len(old):], int64(len(old))); err != nil {
			return err
		}
	}
	if _, err := f.WriteAt(text, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

func main() {
	rounds, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	threads := 1
	if os.Args[3] == "threads" {
		threads = 8
	}
	var wg sync.WaitGroup
	for t := range threads {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := t; i < rounds; i += threads {
				if err := count(os.Args[1]); err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	wg.Wait()
}
