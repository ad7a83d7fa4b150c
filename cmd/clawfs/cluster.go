package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"clawfs/backing"
	"clawfs/backing/cluster"
	"clawfs/backing/cluster/etcd"
	"clawfs/cmd/clawfs/versions"
	"clawfs/fs"
)

// clusterOptions are the flags of mount that say how a directory is shared.
type clusterOptions struct {
	address       string // etcd://HOST:PORT,…/NAME; empty: with nobody
	ca, cert, key string // files
	secret        string // a file; empty: values are not encrypted
	host          string
	local         []string // patterns of registries that are not shared
	join          choice
	offline       choice
	reads         choice
}

// These are the ways to open a registry for reading.
const (
	readsLocal  = "local"  // as this host has it
	readsLatest = "latest" // after the cluster was asked for a newer version
)

// shares returns a function that reports whether a registry is shared. The error is a
// *fs.PatternError.
func (o *clusterOptions) shares(patterns *fs.Patterns) (func(name string) bool, error) {
	var local []*fs.Pattern
	for _, glob := range o.local {
		p, err := fs.NewPattern(glob)
		if err != nil {
			return nil, err
		}
		local = append(local, p)
	}
	return func(name string) bool {
		return patterns.Registry(name) && !slices.ContainsFunc(local, func(p *fs.Pattern) bool { return p.Match(name) })
	}, nil
}

// clusterError says that a cluster can't be reached as it was named.
type clusterError struct {
	Problem string
	Err     error  // nil: there is no more to say
	Hint    string // advice that may help
}

// clusterUsage says that the flags about a cluster are wrong.
func clusterUsage(text string, args ...any) error {
	return &usageError{Command: "clawfs mount", Problem: fmt.Errorf(text, args...)}
}

// Error returns the problem and the reason.
func (e *clusterError) Error() string {
	if e.Err == nil {
		return e.Problem
	}
	return fmt.Sprintf("%s: %v", e.Problem, e.Err)
}

// Unwrap returns the reason.
func (e *clusterError) Unwrap() error { return e.Err }

// clusterAddress holds the parts of a cluster's address.
type clusterAddress struct {
	endpoints []string
	name      string
}

// parseClusterAddress reads etcd://HOST:PORT,…/NAME. The error is a *usageError.
func parseClusterAddress(text string) (a clusterAddress, err error) {
	wrong := clusterUsage("%q is no address of a cluster, such as etcd://a:2379,b:2379,c:2379/NAME", text)
	rest, ok := strings.CutPrefix(text, "etcd://")
	at, name, hasName := strings.Cut(rest, "/")
	if !ok || !hasName || !regexp.MustCompile(`^[A-Za-z0-9._-]+$`).MatchString(name) {
		return a, wrong
	}
	for _, endpoint := range strings.Split(at, ",") {
		if host, port, err := net.SplitHostPort(endpoint); err != nil || host == "" || port == "" {
			return a, wrong
		}
		a.endpoints = append(a.endpoints, endpoint)
	}
	a.name = name
	return a, nil
}

// isLocal reports whether all members are reached without leaving this machine.
func (a clusterAddress) isLocal() bool {
	for _, endpoint := range a.endpoints {
		host, _, _ := net.SplitHostPort(endpoint)
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}

// tls returns the configuration that secures connections; nil: they are in the clear, as they
// are on this machine only.
func (o *clusterOptions) tls(a clusterAddress) (*tls.Config, error) {
	if o.ca == "" && o.cert == "" && o.key == "" && a.isLocal() {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.ca != "" {
		text, err := os.ReadFile(o.ca)
		if err != nil {
			return nil, clusterUsage("cannot read --cluster-ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, clusterUsage("--cluster-ca %s holds no certificate", o.ca)
		}
	}
	if o.cert != "" || o.key != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, clusterUsage("cannot use --cluster-cert and --cluster-key, which go together: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// clusterPatience is how long a mount waits for a majority; one that may go on alone waits for
// alonePatience.
const (
	clusterPatience = 10 * time.Second
	alonePatience   = 3 * time.Second
)

// localStorage is the storage of this host, below that of the cluster.
type localStorage struct {
	timedStorage
	dir *backing.Dir
}

// MakeParents implements cluster.Local.
func (s localStorage) MakeParents(name string) error { return s.dir.MakeParents(name) }

// Note implements cluster.Local.
func (s localStorage) Note(name string, line []byte, durably bool) error {
	return s.dir.Note(name, line, durably)
}

// Notes implements cluster.Local.
func (s localStorage) Notes(name string) (lines [][]byte, whole bool, err error) {
	return s.dir.Notes(name)
}

// NotesAreWhole implements cluster.Local.
func (s localStorage) NotesAreWhole() error { return s.dir.NotesAreWhole() }

// pinning has versions stay in the history that a cluster needs, once there is one.
type pinning struct {
	by atomic.Pointer[cluster.Storage]
}

func (p *pinning) isPinned(name string, seq uint64) bool {
	s := p.by.Load()
	return s != nil && s.Pinned(name, seq)
}

// sharing is a directory's part in a cluster.
type sharing struct {
	*cluster.Storage
	address clusterAddress
	stop    func()
}

// openCluster joins a cluster. The error is a *usageError or a *clusterError.
func openCluster(o *clusterOptions, local localStorage, patterns *fs.Patterns, log *zap.Logger) (*sharing, error) {
	a, err := parseClusterAddress(o.address)
	if err != nil {
		return nil, err
	}
	secure, err := o.tls(a)
	if err != nil {
		return nil, err
	}
	shares, err := o.shares(patterns)
	if err != nil {
		return nil, err
	}
	if o.reads.value == readsLatest && o.offline.value == string(cluster.OfflineAccept) {
		return nil, clusterUsage("--reads=%s and --offline=%s do not go together: a host that is alone does not know the newest version", readsLatest, cluster.OfflineAccept)
	}
	secret, err := o.readSecret()
	if err != nil {
		return nil, err
	}
	if err := checkCertificates(a, secure); err != nil {
		return nil, err
	}
	engine, err := etcd.Open(etcd.Config{Endpoints: a.endpoints, TLS: secure})
	if err != nil {
		return nil, &clusterError{Problem: "cannot use " + o.address, Err: err}
	}
	host := o.host
	if host == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, &clusterError{Problem: "cannot tell this host's name", Err: err, Hint: "give one with --cluster-host NAME"}
		}
		host = name
	}
	patience := clusterPatience
	if o.offline.value == string(cluster.OfflineAccept) {
		patience = alonePatience
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, stop, err := cluster.Open(ctx, local, engine, cluster.Options{
		Cluster: a.name, Host: host, Names: registryNames(local.dir, patterns), Join: cluster.Join(o.join.value),
		Secret: secret, Offline: cluster.Offline(o.offline.value), Shares: shares,
		Told: func(m cluster.Message) { logCluster(log, m) },
	})
	if err != nil {
		return nil, errors.Join(joinError(o, err), engine.Close())
	}
	return &sharing{s, a, func() {
		stop()
		_ = engine.Close() // nothing waits for it any more
	}}, nil
}

// joinError turns an error of cluster.Open into the one that the user sees.
func joinError(o *clusterOptions, err error) error {
	e := &clusterError{Problem: "cannot join " + o.address, Err: err}
	var unrelated *cluster.UnrelatedError
	var unavailable *cluster.UnavailableError
	var secret *cluster.SecretError
	var stranger *cluster.StrangerError
	switch {
	case errors.As(err, &stranger):
		e.Problem = "no majority of " + o.address + " answers"
		e.Hint = "mount it once while the cluster can be reached: the host can begin alone after that"
	case errors.As(err, &unrelated):
		e.Hint = "choose with --join: take the cluster's, give this directory's, or merge both"
	case errors.As(err, &secret):
		e.Hint = "--cluster-secret FILE must hold the same on all hosts; a cluster has a secret from its first host on, or never"
	case errors.As(err, &unavailable):
		e.Problem, e.Err = "no majority of "+o.address+" answers", unavailable.Err
		e.Hint = "see whether most of its members run and can be reached, and whether its certificates fit"
	}
	return e
}

// registryNames yields the registries that are there in a directory.
func registryNames(dir *backing.Dir, patterns *fs.Patterns) iter.Seq2[string, error] {
	root := fmt.Sprintf("/proc/self/fd/%d/.", dir.Fd())
	return func(yield func(string, error) bool) {
		ended := errors.New("ended")
		_ = versions.WalkRegistries(root, root, patterns, func(name string, err error) error {
			if !yield(name, err) {
				return ended
			}
			return nil
		})
	}
}

// logCluster writes a line about a cluster.
func logCluster(log *zap.Logger, m cluster.Message) {
	var fields []zap.Field
	if m.Name != "" {
		fields = append(fields, zap.String("registry", m.Name))
	}
	if m.Err == nil {
		log.Info(m.What, fields...)
		return
	}
	log.Warn(m.What, append(fields, zap.Error(m.Err))...)
}

// clusterStatus is the part of status about a cluster.
type clusterStatus struct {
	Name       string    `json:"name"`
	Host       string    `json:"host"`
	Members    []string  `json:"members"`          // addresses, as they were given
	Reachable  bool      `json:"reachable"`        // a majority answers
	Since      time.Time `json:"since,omitzero"`   // it does, or does not
	Reason     string    `json:"reason,omitempty"` // why it does not
	Registries int       `json:"registries"`       // that are shared
	Waiting    int       `json:"waiting"`          // of these, with a file here that is not the newest version
	Offline    string    `json:"offline"`          // the treatment of writes while it is not reachable: refuse, accept
	Alone      int       `json:"alone"`            // registries with a change that this host alone has; it is merged later
	Revision   int64     `json:"revision"`         // of the newest change that is known here
}

// status describes the cluster; nil where there is none.
func (s *sharing) status() *clusterStatus {
	if s == nil {
		return nil
	}
	st := s.Status()
	out := &clusterStatus{
		Name: s.address.name, Host: st.Host, Members: s.address.endpoints, Reachable: st.Err == nil, Since: st.Since,
		Registries: st.Registries, Waiting: st.Waiting, Revision: st.Rev, Offline: string(cluster.OfflineRefuse), Alone: st.Alone,
	}
	if st.Accepts {
		out.Offline = string(cluster.OfflineAccept)
	}
	if st.Err != nil {
		out.Reason = st.Err.Error()
	}
	return out
}

// printCluster prints a line about a cluster for people.
func (s streams) printCluster(c *clusterStatus) error {
	state, why := s.paintOut(green, "reachable"), ""
	switch why = " (" + c.Reason + ")"; {
	case c.Reachable:
		why = ""
	case c.Offline == string(cluster.OfflineAccept):
		state = s.paintOut(yellow, "not reachable, so changes stay on this host")
	default:
		state = s.paintOut(yellow, "not reachable, so nothing can be written")
	}
	alone := ""
	if c.Alone > 0 {
		alone = fmt.Sprintf("; changed on this host alone, to be merged: %s", versions.Count(c.Alone, "registry", "registries"))
	}
	return s.printf("  cluster %s as %s, by %s: %s since %s%s; %s, %d of them behind, revision %d%s\n", c.Name, c.Host, strings.Join(c.Members, ", "), state,
		c.Since.Local().Format("2006-01-02 15:04:05"), why, versions.Count(c.Registries, "registry", "registries"), c.Waiting, c.Revision, alone)
}
