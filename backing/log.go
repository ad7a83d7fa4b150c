package backing

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"

	"golang.org/x/sys/unix"
)

// tailPiece is how much of a log's end is read first to find the last line.
const tailPiece = 4096

// Record appends one line, a JSON object without its newline, to the log of a
// registry. It is not durable by itself. A log that has grown beyond
// Options.LogBytes is set aside first and replaces the one set aside before.
func (d *Dir) Record(name string, line []byte) error {
	if err := d.change("record", name); err != nil {
		return err
	}
	defer d.leave()
	s := d.histories.take(name)
	defer d.histories.put(d, s)
	err := s.load(d)
	if err == nil {
		err = d.record(s, line)
	}
	if err != nil {
		return &fs.PathError{Op: "record", Path: name, Err: err}
	}
	return nil
}

func (d *Dir) record(s *history, line []byte) error {
	hist, err := d.makeHistory(s.name)
	if err != nil {
		return err
	}
	defer closeFD(hist)
	s.mu.Lock()
	defer s.mu.Unlock()
	return d.appendLine(hist, &s.log, line)
}

// appendLine appends a line to the log in a directory, and keeps its end.
func (d *Dir) appendLine(dir int, end *logEnd, line []byte) error {
	if end.size > 0 && end.size+int64(len(line)) >= d.o.LogBytes {
		if err := rename(dir, logEntry, dir, oldLog, 0); err != nil && err != unix.ENOENT {
			return err
		}
		*end = logEnd{}
	}
	fd, err := openAt(dir, logEntry, unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	defer closeFD(fd)
	if end.size == 0 {
		if err := d.giveAway(dir, logEntry); err != nil {
			return err
		}
	}
	b := make([]byte, 0, len(line)+2)
	if end.torn {
		b = append(b, '\n')
	}
	b = append(append(b, line...), '\n')
	if err := d.o.reach("append to log"); err != nil {
		return err
	}
	if err := writeAll(fd, b); err != nil {
		end.torn = true // perhaps a part of it is there
		return err
	}
	end.size, end.torn = end.size+int64(len(b)), false
	return nil
}

// readLogEnd finds out how the log in a directory ends.
func readLogEnd(dir int) (logEnd, error) {
	fd, err := openLog(dir, logEntry)
	if err == unix.ENOENT {
		return logEnd{}, nil
	}
	if err != nil {
		return logEnd{}, err
	}
	defer closeFD(fd)
	st, err := statFD(fd)
	if err != nil || st.size == 0 {
		return logEnd{}, err
	}
	last, err := readRange(fd, st.size-1, st.size)
	return logEnd{size: st.size, torn: string(last) != "\n"}, err
}

func openLog(dir int, entry string) (int, error) {
	return openAt(dir, entry, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}

// readRange reads the bytes of a file from one offset to another, or to its end.
func readRange(fd int, from, to int64) ([]byte, error) {
	b := make([]byte, to-from)
	for done := 0; done < len(b); {
		var n int
		err := retry(func() (err error) {
			n, err = unix.Pread(fd, b[done:], from+int64(done))
			return err
		})
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return b[:done], nil
		}
		done += n
	}
	return b, nil
}

// LastRecord returns the newest line that was recorded for a registry, nil if
// there is none. It reads the end of the log only. Lines that a crash has left
// incomplete are passed over.
func (d *Dir) LastRecord(name string) ([]byte, error) {
	if err := d.enter("read log", name); err != nil {
		return nil, err
	}
	defer d.leave()
	line, err := d.lastRecord(name)
	if err != nil {
		return nil, &fs.PathError{Op: "read log", Path: name, Err: err}
	}
	return line, nil
}

func (d *Dir) lastRecord(name string) ([]byte, error) {
	hist, err := d.openHistory(name)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeFD(hist)
	for _, entry := range [...]string{logEntry, oldLog} {
		line, err := lastLine(hist, entry)
		if line != nil || err != nil {
			return line, err
		}
	}
	return nil, nil
}

// lastLine returns the last complete line of a log, nil if there is none.
func lastLine(dir int, entry string) ([]byte, error) {
	fd, err := openLog(dir, entry)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeFD(fd)
	st, err := statFD(fd)
	if err != nil {
		return nil, err
	}
	for piece := int64(tailPiece); ; piece *= 8 {
		from := max(0, st.size-piece)
		tail, err := readRange(fd, from, st.size)
		if err != nil {
			return nil, err
		}
		if line := lastLineIn(tail, from == 0); line != nil || from == 0 {
			return line, nil
		}
	}
}

// lastLineIn returns the last line of b that is a JSON object and ends in a
// newline; whole says that b begins where a line does.
func lastLineIn(b []byte, whole bool) []byte {
	end := bytes.LastIndexByte(b, '\n')
	for end >= 0 {
		start := bytes.LastIndexByte(b[:end], '\n') + 1
		if start == 0 && !whole {
			return nil
		}
		if line := b[start:end]; isObject(line) {
			return line
		}
		end = start - 1
	}
	return nil
}

func isObject(line []byte) bool {
	return len(line) > 0 && line[0] == '{' && json.Valid(line)
}

// ReadLog yields the lines recorded for a registry that are still there, oldest
// first, without their newlines. Incomplete lines are passed over. A slice is
// valid until the next one is asked for. It ends with the first error.
func (d *Dir) ReadLog(name string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := d.enter("read log", name); err != nil {
			yield(nil, err)
			return
		}
		defer d.leave()
		hist, err := d.openHistory(name)
		if err == unix.ENOENT {
			return
		}
		if err != nil {
			yield(nil, &fs.PathError{Op: "read log", Path: name, Err: err})
			return
		}
		defer closeFD(hist)
		for _, entry := range [...]string{oldLog, logEntry} {
			if more, err := eachLine(hist, entry, yield); err != nil {
				yield(nil, &fs.PathError{Op: "read log", Path: name, Err: errno(err)})
				return
			} else if !more {
				return
			}
		}
	}
}

func eachLine(dir int, entry string, yield func([]byte, error) bool) (more bool, err error) {
	fd, err := openLog(dir, entry)
	if err == unix.ENOENT {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	f := os.NewFile(uintptr(fd), entry)
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if line = line[:len(line)-1]; isObject(line) && !yield(line, nil) {
			return false, nil
		}
	}
}
