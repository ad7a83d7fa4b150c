package main

import (
	"encoding/hex"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"clawfs/txn"
)

// The phrases that operators grep for. Their spelling is part of the contract.
const (
	phraseCommitted = "Registry write committed"
	phraseConflict  = "Registry write conflict"
	phraseRejected  = "Registry write rejected"
	phraseOverwrite = "Registry overwrite"
	phraseRecovered = "Registry recovered"
)

// logObserver writes a line for each event of a store. No line holds a value of
// a document: events have none.
func logObserver(log *zap.Logger) txn.Observer {
	return txn.ObserverFunc(func(e txn.Event) {
		switch {
		case e.Outcome == txn.Rejected || e.Outcome == txn.Aborted:
			log.Warn(phraseRejected, rejectionFields(e)...)
		case e.Via == txn.ViaRecovery:
			log.Warn(phraseRecovered, eventFields(e)...)
		case e.Outcome == txn.Unchanged:
			log.Debug("Registry write changed nothing", eventFields(e)...)
			logDecisions(log, e) // the head may have won
		default:
			logCommit(log, e)
		}
	})
}

// logCommit writes a line for the commit, and one if the writer replaced a version
// that it had not seen.
func logCommit(log *zap.Logger, e txn.Event) {
	log.Info(phraseCommitted, eventFields(e)...)
	if e.Base.Kind == txn.BaseOpen && e.Parent != 0 && e.Changed {
		log.Warn(phraseOverwrite, zap.String("registry", e.Name), zap.Uint64("seq", e.Seq), zap.Uint64("replaced", e.Parent), writer(e))
	}
	logBase(log, e)
	logDecisions(log, e)
}

// logBase writes, at the level of debugging, the merge base of the commit, and why the other
// candidates were passed over.
func logBase(log *zap.Logger, e txn.Event) {
	if e.Base.Kind == txn.BaseNone || !log.Core().Enabled(zapcore.DebugLevel) {
		return
	}
	fields := []zapcore.Field{
		zap.String("registry", e.Name), zap.Uint64("seq", e.Seq), zap.String("base", string(e.Base.Kind)),
	}
	if e.Base.Digest != [32]byte{} {
		fields = append(fields, zap.String("digest", hex.EncodeToString(e.Base.Digest[:])))
	}
	if len(e.Base.Candidates) > 0 {
		fields = append(fields, zap.Objects("candidates", candidateLines(e.Base.Candidates)))
	}
	log.Debug("Registry base chosen", append(fields, writer(e))...)
}

// candidateLine is a candidate as the log shows it.
type candidateLine txn.CandidateInfo

func candidateLines(all []txn.CandidateInfo) []candidateLine {
	lines := make([]candidateLine, len(all))
	for i, c := range all {
		lines[i] = candidateLine(c)
	}
	return lines
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (c candidateLine) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("digest", hex.EncodeToString(c.Digest[:]))
	enc.AddBool("write", c.Write)
	enc.AddInt("leaves", c.Leaves)
	if c.Struck != "" {
		enc.AddString("struck", c.Struck)
	}
	return nil
}

// logDecisions writes a line for each conflict that the policy decided and for
// each warning.
func logDecisions(log *zap.Logger, e txn.Event) {
	for _, c := range e.Conflicts {
		log.Warn(phraseConflict, zap.String("registry", e.Name), zap.Uint64("seq", e.Seq), zap.String("path", c.Path),
			zap.Stringer("kind", c.Kind), zap.Stringer("won", c.Won), writer(e))
	}
	for _, w := range e.Warnings {
		log.Warn("Registry write warning", zap.String("registry", e.Name), zap.Uint64("seq", e.Seq), zap.Stringer("warning", w), writer(e))
	}
}

// eventFields are the fields of every line about a registry.
func eventFields(e txn.Event) []zapcore.Field {
	fields := []zapcore.Field{
		zap.String("registry", e.Name),
		zap.Stringer("outcome", e.Outcome),
		zap.String("via", string(e.Via)),
		zap.Uint64("seq", e.Seq),
		zap.Uint64("parent", e.Parent),
		zap.Int64("size", e.Size),
		writer(e),
	}
	if e.Deleted {
		fields = append(fields, zap.Bool("deleted", true))
	}
	if e.Base.Kind != txn.BaseNone {
		fields = append(fields, zap.String("base", string(e.Base.Kind)))
	}
	if e.Base.Why != "" {
		fields = append(fields, zap.String("why", string(e.Base.Why)))
	}
	if e.Host != "" {
		fields = append(fields, zap.String("host", e.Host))
	}
	if e.Kept > 0 {
		fields = append(fields, zap.Int("kept", e.Kept))
	}
	return fields
}

// rejectionFields say why nothing was committed and where the content is.
func rejectionFields(e txn.Event) []zapcore.Field {
	fields := append(eventFields(e), zap.Error(e.Err))
	if e.Copy != "" {
		fields = append(fields, zap.String("quarantine", e.Copy))
	}
	return fields
}

// writer names the writer, if it is known.
func writer(e txn.Event) zapcore.Field {
	if !e.Writer.Known() {
		return zap.Skip()
	}
	return zap.Dict("writer", zap.Int("pid", e.Writer.PID), zap.String("program", e.Writer.Program), zap.Uint32("uid", e.Writer.UID))
}
