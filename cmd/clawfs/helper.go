package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Under one of these names the program is the helper that mount(8), and with it
// fstab and systemd's mount units, runs for the type fuse.clawfs:
//
//	mount.fuse.clawfs SOURCE DIR [-sfnv] [-N NAMESPACE] [-t TYPE] [-o OPTIONS]
func isHelper(program string) bool {
	return slices.Contains([]string{"mount.fuse.clawfs", "mount.clawfs"}, filepath.Base(program))
}

// helperArgs turns the arguments of a mount helper into those of `clawfs mount`. The options of
// the mount are its flags; options that mount(8) deals with itself are passed over. A helper
// says nothing where it succeeds, unless it is verbose. The error is a *usageError.
func helperArgs(args []string) (command []string, verbose bool, err error) {
	var places, options []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		value, takes := helperFlag(arg)
		switch {
		case !strings.HasPrefix(arg, "-"):
			places = append(places, arg)
			continue
		case takes && value == "":
			if i++; i == len(args) {
				return nil, false, helperError(fmt.Errorf("%s wants a value", arg))
			}
			value = args[i]
		case !takes && strings.Contains(arg, "v"):
			verbose = true
		}
		if strings.HasPrefix(arg, "-o") {
			options = append(options, strings.Split(value, ",")...)
		}
	}
	if len(places) != 2 {
		return nil, false, helperError(errors.New("a mount helper wants a source and a directory"))
	}
	if source, dir := filepath.Clean(places[0]), filepath.Clean(places[1]); filepath.IsAbs(source) && source != dir {
		return nil, false, helperError(fmt.Errorf("clawfs is mounted in place, so the source must be %s, too, or the word clawfs", dir))
	}
	flags, err := helperOptions(options)
	return append(append([]string{"mount"}, flags...), "--", places[1]), verbose, err
}

// helperFlag tells whether a flag of mount helpers takes a value, and returns the value
// if it comes with the flag.
func helperFlag(arg string) (value string, takes bool) {
	if len(arg) < 2 || !strings.ContainsRune("oNt", rune(arg[1])) {
		return "", false
	}
	return arg[2:], true
}

// helperOptions turns options of a mount into flags.
func helperOptions(options []string) ([]string, error) {
	flags := newMountOptions().flags
	var out []string
	for _, option := range options {
		name, value, valued := strings.Cut(option, "=")
		f := flags.Lookup(strings.ReplaceAll(name, "_", "-"))
		switch {
		case passedOver(name):
		case name == "ro" || name == "noexec":
			return nil, helperError(fmt.Errorf("the option %s can't be had", name))
		case f == nil || f.Hidden || f.Name == "foreground":
			return nil, helperError(fmt.Errorf("there is no option %s", name))
		case valued:
			out = append(out, "--"+f.Name+"="+value)
		case f.NoOptDefVal == "":
			return nil, helperError(fmt.Errorf("the option %s wants a value", name))
		default:
			out = append(out, "--"+f.Name)
		}
	}
	return out, nil
}

// passedOver reports whether an option is mount(8)'s own, or says something that holds
// anyway.
func passedOver(name string) bool {
	return name == "" || strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "X-") || slices.Contains([]string{
		"defaults", "rw", "auto", "noauto", "nofail", "_netdev", "comment", "user", "users", "nouser", "owner", "group",
		"nodev", "nosuid", "exec", "dev", "suid", "sync", "async", "dirsync", "atime", "noatime", "diratime", "nodiratime", "relatime",
		"norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime", "default_permissions",
	}, name)
}

func helperError(err error) error {
	return &usageError{Command: "clawfs mount", Problem: err}
}
