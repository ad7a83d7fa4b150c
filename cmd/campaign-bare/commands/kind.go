package commands

import (
	"slices"
	"strings"
)

// The sorts of commands. The class of a step is a part of the name of its kind of difference,
// and a rule may take some things for granted of it.
const (
	classPut       = "put"        // writes a document from elsewhere, without reading the registry
	classEdit      = "edit"       // reads the registry and writes it changed
	classBackup    = "backup"     // copies the registry elsewhere
	classRestore   = "restore"    // brings such a copy back
	classGit       = "git"        // keeps and brings back versions
	classTar       = "tar"        // the same with an archive
	classMove      = "move"       // gives a registry another name
	classRemove    = "rm"         // removes names
	classRemoveAll = "rm-all"     // removes all files that it finds
	classMake      = "make"       // clean, or all
	classLook      = "look"       // reads one registry
	classLookAll   = "look-all"   // reads all, or lists them
	classTouch     = "touch"      // makes an empty file
	classMode      = "mode"       // changes a mode
	classMemory    = "memory"     // a program changes the document in its memory, and may save it
	classOver      = "start-over" // a program that begins each round with its first state
	classRestart   = "restart"    // of the daemon
)

var classes = []string{
	classPut, classEdit, classBackup, classRestore, classGit, classTar, classMove, classRemove, classRemoveAll, classMake, classLook, classLookAll,
	classTouch, classMode, classMemory, classOver, classRestart,
}

// kindOf names the kind of a difference by the parts of the sequence: the process of the last
// step, that step, the one before that matters, and how the difference shows. Of a sequence
// that was shrunk all that came before matters.
func kindOf(q Sequence, d difference) string {
	if d.Effect == noPlaceholder {
		return d.Effect // the same for any process
	}
	step := q.Steps[d.Step]
	var words []string
	words = append(words, actorOf(step), step.Class)
	before := q.Steps[:d.Step]
	if slices.ContainsFunc(before, removes) {
		words = append(words, "after-removal")
	}
	if slices.ContainsFunc(before, func(s Step) bool { return s.Class == classMove }) {
		words = append(words, "after-move")
	}
	if slices.ContainsFunc(before, func(s Step) bool { return s.Who == byStranger }) {
		words = append(words, "after-stranger")
	}
	if slices.ContainsFunc(before, func(s Step) bool { return s.isProgram() && s.Who != step.Who }) {
		words = append(words, "after-program")
	}
	if slices.ContainsFunc(before, func(s Step) bool { return s.Who == byDaemon }) {
		words = append(words, "after-restart")
	}
	return strings.Join(words, "-") + ":" + d.Effect
}

// actorOf names the process of a step, in the words of kinds.
func actorOf(s Step) string {
	switch {
	case s.isProgram():
		return "program"
	case s.Who == byOwn:
		return byShell
	}
	return s.Who
}

// removes reports whether a step takes a registry away.
func removes(s Step) bool {
	switch s.Class {
	case classRemove, classRemoveAll, classMake:
		return true
	}
	return s.isProgram() && strings.Contains(s.Text, "unlink")
}
