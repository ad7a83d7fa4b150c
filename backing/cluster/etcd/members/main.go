// Command members is one member of an etcd, for tests: the real server, in a process of its
// own that can be killed, stopped and started again over the same directory. It is a module
// of its own, so that the product has the client only.
//
//	members DIR N PORT...
//
// It is the Nth member, from 0, of as many as there are pairs of ports on 127.0.0.1: one for
// clients, one for the other members. It prints a line once it is ready, and ends with its
// standard input.
package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.etcd.io/etcd/server/v3/embed"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 4 {
		return fmt.Errorf("usage: members DIR N CLIENT-PORT PEER-PORT...")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	c := embed.NewConfig()
	c.Dir, c.Name = filepath.Join(args[0], args[1]), "m"+args[1]
	c.LogLevel, c.LogOutputs = "error", []string{"stderr"}
	if full := os.Getenv("MEMBERS_QUOTA"); full != "" {
		if c.QuotaBackendBytes, err = strconv.ParseInt(full, 10, 64); err != nil {
			return err
		}
	}
	c.SnapshotCount, c.SnapshotCatchUpEntries = 1000, 500
	var all []string
	for i, ports := 0, args[2:]; i < len(ports)/2; i++ {
		clients, peers := address(ports[2*i]), address(ports[2*i+1])
		all = append(all, fmt.Sprintf("m%d=%s", i, peers.String()))
		if i == n {
			encrypt(c, &clients)
			c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{clients}, []url.URL{clients}
			c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{peers}, []url.URL{peers}
		}
	}
	c.InitialCluster = strings.Join(all, ",")
	e, err := embed.StartEtcd(c)
	if err != nil {
		return err
	}
	defer e.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		ended <- err
	}()
	select {
	case <-e.Server.ReadyNotify():
		fmt.Println("ready")
	case err := <-e.Err():
		return err
	case err := <-ended:
		return err
	}
	select {
	case err := <-e.Err():
		return err
	case err := <-ended:
		return err
	}
}

func address(port string) url.URL { return url.URL{Scheme: "http", Host: "127.0.0.1:" + port} }

// encrypt has clients show certificates, and the member show its own, if MEMBERS_TLS names a directory with
// these: ca.pem, member.pem and member.key.
func encrypt(c *embed.Config, clients *url.URL) {
	dir := os.Getenv("MEMBERS_TLS")
	if dir == "" {
		return
	}
	clients.Scheme = "https"
	i := &c.ClientTLSInfo
	i.CertFile, i.KeyFile = filepath.Join(dir, "member.pem"), filepath.Join(dir, "member.key")
	i.TrustedCAFile, i.ClientCertAuth = filepath.Join(dir, "ca.pem"), true
}
