package takeover

import (
	"encoding/json"
	"net"
	"strconv"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// The supervisor's side of an upgrade: a daemon of another program is started, and looks whether it can take
// over. Only then the former one is told to leave. It answers the requests that it has begun, and is
// killed. Then the next one goes on.

// stage is how far an upgrade is.
type stage int

const (
	looking  stage = iota // the next daemon looks whether it can take over; the former one serves
	leaving               // the former one answers what it has begun
	going                 // the next one takes over, and does not serve yet
	draining              // it can't take over: the former one ends in order
	mounting              // … and the next one mounts anew
)

// limits are how long a stage may take: then the daemon in question is killed.
func (s stage) limit() time.Duration {
	switch s {
	case leaving:
		return 5 * time.Second
	case draining:
		return 40 * time.Second // more than a daemon gives to those that have files open
	}
	return time.Minute
}

// upgrade is one that is under way.
type upgrade struct {
	stage   stage
	wish    Upgrade
	asker   *net.UnixConn
	program *program
	past    Past
	next    *process // while it waits; nil after that
	unable  *unable  // why it can't take over
	began   time.Time
	limit   *time.Timer
}

func (u *upgrade) is(s stage) bool { return u != nil && u.stage == s }

func (u *upgrade) incoming() <-chan received {
	if u == nil || u.next == nil {
		return nil
	}
	return u.next.incoming()
}

func (u *upgrade) ended() <-chan struct{} {
	if u == nil || u.next == nil {
		return nil
	}
	return u.next.ended
}

func (u *upgrade) late() <-chan time.Time {
	if u == nil {
		return nil
	}
	return u.limit.C
}

func (u *upgrade) enter(s stage) {
	u.stage = s
	u.limit.Reset(s.limit())
}

// begin begins an upgrade to the program of the process at the other end of a socket.
func (w *watch) begin(wish Upgrade, fds []int) {
	if len(fds) != 1 {
		closeAll(fds)
		return
	}
	asker, err := socket(fds[0])
	if err != nil {
		w.Log.Error("who asks for an upgrade can't be answered", zap.Error(err))
		return
	}
	if w.up != nil || w.kept == nil || w.ending {
		answer(asker, Upgraded{Outcome: Refused, Reason: "another upgrade is under way, or the mount begins or ends just now"})
		return
	}
	p, err := programAt(asker)
	if err != nil {
		answer(asker, Upgraded{Outcome: Refused, Reason: "the other program can't be seen: " + err.Error()})
		return
	}
	if p.is(w.program) {
		p.close()
		answer(asker, Upgraded{Outcome: AlreadyServes, PID: w.d.pid})
		return
	}
	u := &upgrade{wish: wish, asker: asker, program: p, past: w.past.next(), limit: time.NewTimer(looking.limit())}
	if u.next, err = w.launch(p, u.past, true); err != nil {
		p.close()
		answer(asker, Upgraded{Outcome: Refused, Reason: err.Error()})
		return
	}
	w.up = u
}

// programAt opens the program of the process at the other end of a socket.
func programAt(asker *net.UnixConn) (*program, error) {
	raw, err := asker.SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	var peerErr error
	if err := raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || peerErr != nil {
		return nil, peerErr
	}
	return programOf(strconv.Itoa(int(peer.Pid)))
}

// answer tells the process that has asked for an upgrade its outcome.
func answer(asker *net.UnixConn, u Upgraded) {
	defer asker.Close()
	_ = asker.SetWriteDeadline(time.Now().Add(time.Second))
	_ = json.NewEncoder(asker).Encode(u) // it may have gone
}

// hears deals with a message of the daemon that waits.
func (w *watch) hears(m received, ok bool) {
	u := w.up
	if !ok {
		u.next.silent = true // it is about to end
		return
	}
	closeAll(m.fds)
	switch {
	case m.Able && u.stage == looking:
		u.began = time.Now()
		u.enter(leaving)
		if send(w.d.conn, message{Leave: true}) != nil {
			w.leaves()
		}
	case m.Unable != nil:
		u.unable = m.Unable
		if !u.wish.Restart || !m.Unable.Anew {
			w.cannot("")
			return
		}
		u.drop()
		u.began = time.Now()
		u.enter(draining)
		w.Log.Warn(RefusedPhrase+": the daemon ends, to mount anew", zap.String("program", u.program.name), zap.Any("why", m.Unable.Why))
		_ = w.d.signal(unix.SIGTERM) // if it has died, it has ended
	}
}

// drop ends the daemon that waits.
func (u *upgrade) drop() {
	if u.next == nil {
		return
	}
	_ = u.next.signal(unix.SIGKILL)
	next := u.next
	u.next = nil
	go func() {
		for m := range next.messages {
			closeAll(m.fds)
		}
		<-next.ended
		next.close()
	}()
}

// leaves ends a daemon that has left. If nobody is to take its place, it has died like any other: a supervisor before
// may have told it.
func (w *watch) leaves() { _ = w.d.signal(unix.SIGKILL) }

// nextEnded ends an upgrade whose next daemon has ended while it waited.
func (w *watch) nextEnded() {
	next := w.up.next
	for m := range next.messages {
		w.hears(m, true)
		if w.up == nil || w.up.next != next {
			return
		}
	}
	left := w.up.stage == leaving
	w.cannot("the other program ended before it took over: " + next.how)
	if left {
		w.leaves() // the former program starts another one
	}
}

// isLate ends the daemon that takes too long.
func (w *watch) isLate() {
	switch w.up.stage {
	case looking:
		w.cannot("the other program does not say whether it can take over")
		return
	case leaving:
		w.Log.Warn("the daemon is still busy with some requests: the next one does them")
	}
	_ = w.d.signal(unix.SIGKILL)
}

// replace puts the next daemon in the place of one that has ended for it. goesOn is false where that one
// has not.
func (w *watch) replace() (goesOn bool, err error) {
	u := w.up
	switch {
	case u == nil:
		return false, nil
	case w.ending:
		w.cancel("the mount ends")
		return false, nil
	case u.stage == leaving && w.kept != nil && u.next != nil:
		w.d, w.past, u.next = u.next, u.past, nil
		u.enter(going)
		_ = send(w.d.conn, message{Go: true}) // if it has died, the former program goes on
		return true, nil
	case u.stage == draining && w.kept == nil:
		w.past = Past{Generation: 1}
		w.released = false
		u.enter(mounting)
		w.d, err = w.launch(u.program, w.past, false)
		return err == nil, err
	case u.stage == mounting && w.kept == nil:
		why := w.report
		w.cancelWith(Upgraded{Outcome: Refused, Why: why, Reason: "the other program could not mount; the former one mounts anew"})
		w.report, w.released = nil, false
		w.past = Past{}
		err = w.next()
		return err == nil, err
	}
	w.cancel("a daemon has died meanwhile: the former program goes on (" + w.d.how + ")")
	return false, nil
}

// serves ends an upgrade whose daemon serves.
func (w *watch) serves() {
	u := w.up
	if !u.is(going) && !u.is(mounting) {
		return
	}
	took := time.Since(u.began)
	done := Upgraded{Outcome: HandedOver, PID: w.d.pid, Seconds: took.Seconds()}
	phrase := HandoverPhrase
	if u.stage == mounting {
		done.Outcome, phrase = MountedAnew, AnewPhrase
		done.Why = u.unable.Why
	}
	w.Log.Info(phrase, zap.String("program", u.program.name), zap.Int("pid", w.d.pid), zap.Duration("took", took))
	w.program.close()
	w.program, u.program = u.program, nil
	w.end(done)
}

// cannot ends an upgrade before the former daemon was told to leave.
func (w *watch) cannot(reason string) {
	u := Upgraded{Outcome: Refused, PID: w.d.pid, Reason: reason}
	if w.up.unable != nil {
		u.Why = w.up.unable.Why
	}
	w.cancelWith(u)
}

// cancel ends an upgrade, if one is under way.
func (w *watch) cancel(reason string) {
	w.cancelWith(Upgraded{Outcome: Refused, Reason: reason})
}

func (w *watch) cancelWith(u Upgraded) {
	if w.up == nil {
		return
	}
	w.Log.Warn(RefusedPhrase, zap.String("program", w.up.program.name), zap.Any("why", u.Why), zap.String("reason", u.Reason))
	w.end(u)
}

// end tells the outcome of the upgrade that is under way, which is no more.
func (w *watch) end(u Upgraded) {
	w.up.drop()
	w.up.program.close()
	w.up.limit.Stop()
	answer(w.up.asker, u)
	w.up = nil
}
