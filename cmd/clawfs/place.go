package main

import (
	"fmt"
	"strconv"
	"strings"

	"clawfs/cmd/clawfs/versions"
)

// locateFile is versions.Locate for a registry.
func locateFile(path string) (versions.Place, error) {
	p, err := versions.Locate(path)
	if err == nil && p.Name == "" {
		err = &usageError{Command: "clawfs", Problem: fmt.Errorf("%s is a directory, not a registry", path)}
	}
	return p, err
}

// locateVersion finds the version that FILE, FILE@N or FILE@head names.
func locateVersion(arg string) (versions.Target, error) {
	path, seq, ok := splitVersion(arg)
	if !ok || path == "" {
		path, seq = arg, 0
	}
	p, err := locateFile(path)
	return versions.Target{Place: p, Seq: seq}, err
}

// locateOther finds the version that a second argument names beside a first one: @N and @head
// are versions of the first one's registry.
func locateOther(arg string, first versions.Place) (versions.Target, error) {
	if path, seq, ok := splitVersion(arg); ok && path == "" {
		return versions.Target{Place: first, Seq: seq}, nil
	}
	return locateVersion(arg)
}

// splitVersion takes FILE@N or FILE@head apart. It reports whether an argument
// ends in a version; the number is 0 for the head.
func splitVersion(arg string) (path string, seq uint64, ok bool) {
	i := strings.LastIndexByte(arg, '@')
	if i < 0 {
		return arg, 0, false
	}
	if arg[i+1:] == "head" {
		return arg[:i], 0, true
	}
	seq, err := strconv.ParseUint(arg[i+1:], 10, 64)
	return arg[:i], seq, err == nil && seq > 0
}
