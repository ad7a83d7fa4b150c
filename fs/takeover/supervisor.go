package takeover

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// SocketFD is the descriptor by which a daemon, or another supervisor, finds its socket: it is
// for Join and Adopt.
const SocketFD = 3

// Supervisor starts daemons, one after another has died, and keeps their connection.
type Supervisor struct {
	Daemon  []string               // the command that starts a daemon
	Another []string               // the command that starts another supervisor, which calls Adopt
	Policy  Policy                 //
	Log     *zap.Logger            //
	Output  *os.File               // standard output and standard error of the processes that it starts
	Ready   func(pid int) error    // called once, when the first daemon serves; an error ends the daemon
	Abandon func(dir string) error // takes a mount away that nobody will serve
}

// FailedError says that the first daemon has ended before it had mounted.
type FailedError struct {
	Report json.RawMessage // its words (Keeper.Failed); nil: none
	How    string          // it ended
}

// Error tells how the daemon ended.
func (e *FailedError) Error() string { return "the daemon ended before it served (" + e.How + ")" }

// AbandonedError says that the mount was given up, as its daemons died again and again.
type AbandonedError struct {
	Dir    string
	Deaths int // within Within
	Within time.Duration
}

// Error names the mount and the number of deaths.
func (e *AbandonedError) Error() string {
	return fmt.Sprintf("%s was given up after %d deaths of its daemon within %s", e.Dir, e.Deaths, e.Within)
}

// watch is the state of a supervisor while it runs.
type watch struct {
	*Supervisor
	d        *process
	program  *program    // that daemons are started of
	kept     *Connection // nil: nothing yet, or nothing any more
	up       *upgrade    // nil: none is under way
	past     Past
	deaths   deaths
	ready    bool            // the first daemon serves, or did
	ending   bool            // it was told to end
	released bool            // a daemon has ended in order, or is about to
	report   json.RawMessage // of a daemon that has failed
}

// Run starts a daemon, and the next one whenever it has died, until one has ended in order. All are of
// this program, as it is now, or of the one that was last made to serve (Keeper.Upgrade).
// Signals are passed on to the daemon: SIGHUP as it is, others as SIGTERM, after which no
// other daemon is started. Errors: *FailedError, *AbandonedError, or the system's.
func (s *Supervisor) Run(signals <-chan os.Signal) error {
	w := &watch{Supervisor: s}
	var err error
	if w.program, err = programOf("self"); err != nil {
		return err
	}
	if err := w.next(); err != nil {
		return err
	}
	return w.run(signals)
}

// Adopt goes on where a supervisor has died, with the facts that the daemon tells by a
// socket. Command lines are taken from there, too. Errors are those of Run, and facts that
// can't be understood.
func (s *Supervisor) Adopt(fd int, signals <-chan os.Signal) error {
	conn, err := socket(fd)
	if err != nil {
		return err
	}
	m, fds, err := receive(conn)
	if err != nil {
		return err
	}
	if m.Adopt == nil || len(fds) == 0 {
		closeAll(fds)
		return errors.New("wanted: a daemon to watch")
	}
	s.Daemon, s.Another = m.Adopt.Daemon, m.Adopt.Supervisor
	w := &watch{Supervisor: s, past: m.Adopt.Past, ready: m.Adopt.Serves}
	w.kept = m.Adopt.Connection
	if w.kept != nil {
		if w.kept, err = w.kept.withDescriptors(fds[1:]); err != nil {
			return err
		}
	}
	if w.d, err = adopted(fds[0], conn); err != nil {
		return err
	}
	if w.program, err = programOf(strconv.Itoa(w.d.pid)); err != nil { // it has died already
		w.program, err = programOf("self")
	}
	if err != nil {
		return err
	}
	return w.run(signals)
}

// next starts the next daemon.
func (w *watch) next() error {
	w.past = w.past.next()
	d, err := w.launch(w.program, w.past, false)
	if err == nil {
		w.d = d
	}
	return err
}

// launch starts a daemon of a program.
func (w *watch) launch(p *program, past Past, waits bool) (*process, error) {
	command := append([]string{p.name}, w.Daemon[1:]...)
	d, err := startDaemon(p.path(), command, w.Output)
	if err != nil {
		return nil, err
	}
	first := message{Start: &start{Protocol: protocol, Waits: waits, Past: past, Supervisor: w.Another, Daemon: command, Connection: w.kept}}
	var fds []int
	if w.kept != nil {
		fds = w.kept.descriptors()
	}
	if err := send(d.conn, first, fds...); err != nil {
		w.Log.Warn("a daemon can't be given the state of the former one", zap.Error(err)) // it has died already
	}
	return d, nil
}

func (w *watch) run(signals <-chan os.Signal) error {
	defer func() {
		w.cancel("the mount has ended")
		w.kept.close()
		w.program.close()
	}()
	rounds := time.NewTicker(w.Policy.Ask)
	defer rounds.Stop()
	for {
		select {
		case m, ok := <-w.d.incoming():
			if !ok {
				w.d.silent = true // it has died, or is about to end
				continue
			}
			w.take(m)
		case s := <-signals:
			w.pass(s)
		case <-rounds.C:
			w.ask()
		case <-w.d.ended:
			for m := range w.d.messages {
				w.take(m)
			}
			w.d.close()
			if over, err := w.afterEnd(signals); over || err != nil {
				return err
			}
		case m, ok := <-w.up.incoming():
			w.hears(m, ok)
		case <-w.up.ended():
			w.nextEnded()
		case <-w.up.late():
			w.isLate()
		}
	}
}

// afterEnd goes on after a daemon has ended. over says that there is nothing to go on with.
func (w *watch) afterEnd(signals <-chan os.Signal) (over bool, err error) {
	if goesOn, err := w.replace(); goesOn || err != nil {
		return false, err
	}
	if w.kept == nil {
		return true, w.result()
	}
	return false, w.takeOver(signals)
}

// result is Run's result when a daemon has ended and there is nothing to take over.
func (w *watch) result() error {
	if w.released && w.report == nil {
		return nil
	}
	return &FailedError{Report: w.report, How: w.d.how}
}

// take deals with a message of the daemon's.
func (w *watch) take(m received) {
	switch {
	case m.Keep != nil:
		kept, err := m.Keep.withDescriptors(m.fds)
		if err != nil {
			w.Log.Error("the state that the daemon has sent can't be kept", zap.Error(err))
			return
		}
		w.kept = kept
		return
	case m.Serves:
		if !w.ready {
			w.ready = true
			if err := w.Ready(w.d.pid); err != nil {
				w.Log.Error("the process that waits for the mount can't be told that it serves", zap.Error(err))
				w.pass(unix.SIGTERM)
			}
		}
		w.serves()
	case m.Left:
		w.leaves()
	case m.Upgrade != nil:
		w.begin(*m.Upgrade, m.fds)
		return
	case m.Failed != nil:
		w.report = m.Failed
	case m.Answer:
		w.d.unanswered = 0
	case m.Released:
		w.released = true
		w.kept.close()
		w.kept = nil
	}
	closeAll(m.fds)
}

// pass passes a signal on to the daemon.
func (w *watch) pass(s os.Signal) {
	signal := unix.SIGTERM
	if s == syscall.SIGHUP {
		signal = unix.SIGHUP
	} else {
		w.ending = true
	}
	if err := w.d.signal(signal); err != nil && !errors.Is(err, unix.ESRCH) {
		w.Log.Error("a signal can't be passed on to the daemon", zap.Stringer("signal", signal), zap.Error(err))
	}
}

// ask asks the daemon whether it lives. One that has not answered for two rounds is killed.
func (w *watch) ask() {
	if w.d.unanswered == 2 {
		w.Log.Error(HangPhrase, zap.Int("pid", w.d.pid))
		_ = w.d.signal(unix.SIGKILL)
		return
	}
	w.d.unanswered++
	_ = send(w.d.conn, message{Ask: true}) // where it can't be asked, it does not answer
}

// Phrases of the log, by which a reader finds the fate of a daemon.
const (
	DeathPhrase   = "the daemon has died, the next one takes over"
	HangPhrase    = "the daemon does not answer and is killed"
	AbandonPhrase = "the mount is given up, its daemon dies again and again"

	HandoverPhrase = "the mount was handed over to another program"
	AnewPhrase     = "another program has mounted anew"
	RefusedPhrase  = "another program does not take the mount over"
)

// takeOver starts the next daemon in the place of one that has died. An error says that there
// is none, and no mount any more.
func (w *watch) takeOver(signals <-chan os.Signal) error {
	if w.ending {
		w.Log.Error("the daemon has died while it was ending", zap.String("how", w.d.how))
		return w.abandon(nil)
	}
	pause, again := w.deaths.add(time.Now(), w.Policy)
	if !again {
		w.Log.Error(AbandonPhrase, zap.Int("pid", w.d.pid), zap.String("how", w.d.how), zap.Int("deaths", len(w.deaths)))
		return w.abandon(&AbandonedError{Dir: w.kept.Dir, Deaths: len(w.deaths), Within: w.Policy.Within})
	}
	w.Log.Warn(DeathPhrase, zap.Int("pid", w.d.pid), zap.String("how", w.d.how), zap.Duration("pause", pause))
	for after := time.After(pause); pause > 0; {
		select {
		case s := <-signals:
			if s != syscall.SIGHUP {
				return w.abandon(nil)
			}
		case <-after:
			pause = 0
		}
	}
	if err := w.next(); err != nil {
		return w.abandon(err)
	}
	return nil
}

// abandon takes the mount away and returns why.
func (w *watch) abandon(why error) error {
	return errors.Join(why, w.Abandon(w.kept.Dir))
}
