// Package datastore keeps k3s's contract for its datastore over stock parts: SQLite behind kine, or a
// member of an etcd cluster, both as child processes that die with k3s. What it imitates, and what
// not, is in lab/README.md.
package datastore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"triad.invalid/k3s/logs"
)

// Kind says which datastore runs.
type Kind string

// The datastores of a k3s server.
const (
	SQLite   Kind = "sqlite"
	Etcd     Kind = "etcd"
	External Kind = "external"
)

// errDisabled is what k3s answers where only etcd can (seen from `k3s etcd-snapshot` on SQLite).
var errDisabled = errors.New("etcd datastore disabled")

// Snapshots are k3s's etcd-snapshot-* flags.
type Snapshots struct {
	Disable   bool
	Schedule  string // cron; default "0 */12 * * *"
	Name      string // of scheduled ones; default "etcd-snapshot"
	Dir       string // default <DataDir>/server/db/snapshots; any other must exist
	Retention int    // 0: the default 5; below 0 nothing is pruned
	Compress  bool
}

// Options are what a server's flags say about its datastore.
type Options struct {
	DataDir           string // k3s's data-dir, default /var/lib/rancher/k3s; the datastore is below server/
	NodeName          string
	NodeIP            string
	BinDir            string // holds etcd, etcdutl and kine
	ClusterInit       bool
	ServerURL         string // of the server to join
	Token             string // in any of k3s's formats; its password encrypts the bootstrap data
	DatastoreEndpoint string
	EtcdArgs          []string // "key=value", as --etcd-arg gives them
	Snapshots         Snapshots
	// Get fetches a path such as /db/info from ServerURL with the server token.
	Get func(ctx context.Context, path string) ([]byte, error) `json:"-"`
	// Restored hears the bootstrap data of a snapshot that ClusterReset restored.
	Restored func(data []byte) error `json:"-"`
	// Log hears what k3s would log at level info; default standard error.
	Log func(format string, values ...any) `json:"-"`

	loopback string        // default 127.0.0.1; tests run several members on one machine
	stdout   io.Writer     // of snapshot commands
	tick     time.Duration // of the care for learners; default 15 s as in k3s
}

// Backend is what kube-apiserver gets as --etcd-servers, --etcd-cafile, --etcd-certfile, --etcd-keyfile.
type Backend struct {
	Endpoint, CAFile, CertFile, KeyFile string
}

// Datastore is a running one.
type Datastore struct {
	Kind Kind

	options    Options
	backend    Backend
	name       string // of this etcd member
	process    *process
	client     *clientv3.Client
	cancel     context.CancelFunc
	exited     chan error
	nodes      atomic.Pointer[corev1client.NodeInterface]
	snapshotMu sync.Mutex
}

// Start returns when reads and writes work: a joiner is a voting member then.
//
// Which datastore it is follows k3s: etcd data on disk wins over all flags, then datastore-endpoint,
// server, cluster-init; SQLite is what is left.
//
// @see https://docs.k3s.io/datastore/ha-embedded
func Start(ctx context.Context, o Options) (*Datastore, Backend, error) {
	o = o.withDefaults()
	d := &Datastore{options: o, exited: make(chan error, 1)}
	own, cancel := context.WithCancel(ctx)
	d.cancel = cancel
	var err error
	switch {
	case o.initialised():
		err = d.startEtcd(own)
	case o.DatastoreEndpoint != "":
		d.Kind, d.backend = External, Backend{Endpoint: o.DatastoreEndpoint}
		d.client, err = connect(own, d.backend)
	case o.ServerURL != "" || o.ClusterInit:
		err = d.startEtcd(own)
	default:
		err = d.startSQLite(own)
	}
	if err != nil {
		d.Stop()
		return nil, Backend{}, err
	}
	return d, d.backend, nil
}

// Exited yields once when the datastore's process is gone although nobody asked; k3s exits then.
func (d *Datastore) Exited() <-chan error { return d.exited }

// Stop ends the datastore's process gracefully (etcd hands its leadership over): SIGTERM first,
// SIGKILL after 15 s.
func (d *Datastore) Stop() {
	d.cancel()
	if d.client != nil {
		_ = d.client.Close()
	}
	if d.process != nil {
		d.process.stop(15 * time.Second)
	}
}

// DBInfo is the answer of GET /db/info: the members, for joiners.
func (d *Datastore) DBInfo(ctx context.Context) ([]byte, error) {
	if d.Kind != Etcd {
		return nil, errDisabled
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	list, err := d.client.MemberList(ctx)
	if err != nil {
		return nil, fmt.Errorf("failed to get etcd MemberList: %w", err)
	}
	return json.Marshal(memberList{Members: list.Members})
}

// watchProcess tells Exited when the process ends by itself.
func (d *Datastore) watchProcess(p *process) {
	d.process = p
	go func() {
		<-p.done
		if !p.stopping.Load() {
			d.exited <- fmt.Errorf("%s exited: %v", p.name, p.err)
		}
	}()
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = logs.Info
	}
	setDefault(&o.DataDir, "/var/lib/rancher/k3s")
	setDefault(&o.loopback, "127.0.0.1")
	setDefault[io.Writer](&o.stdout, os.Stdout)
	setDefault(&o.tick, 15*time.Second)
	setDefault(&o.Snapshots.Schedule, "0 */12 * * *")
	setDefault(&o.Snapshots.Name, "etcd-snapshot")
	setDefault(&o.Snapshots.Retention, 5)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// server is a path below <DataDir>/server.
func (o Options) server(parts ...string) string {
	return filepath.Join(append([]string{o.DataDir, "server"}, parts...)...)
}

func (o Options) tls(file string) string { return o.server("tls", "etcd", file) }

func (o Options) etcdDir() string { return o.server("db", "etcd") }

// initialised as k3s has it: nothing but the WAL's directory counts.
func (o Options) initialised() bool {
	info, err := os.Stat(filepath.Join(o.etcdDir(), "member", "wal"))
	return err == nil && info.IsDir()
}
