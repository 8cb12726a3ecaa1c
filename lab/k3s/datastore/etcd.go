package datastore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"triad.invalid/k3s/certs"
)

// startEtcd starts this member: as the one that it is, as the first of a new cluster, or as a joiner.
func (d *Datastore) startEtcd(ctx context.Context) error {
	d.Kind = Etcd
	o := d.options
	if err := EnsureTLS(o); err != nil {
		return err
	}
	if err := o.moveRemovedAside(); err != nil {
		return err
	}
	initialised := o.initialised()
	if err := d.setName(false); err != nil {
		return err
	}
	d.backend = o.etcdBackend()
	client, err := connect(ctx, d.backend)
	if err != nil {
		return err
	}
	d.client = client
	switch {
	case initialised:
		// Whatever was half done before (a copy from SQLite, too) is not looked at again: the trap.
		o.Log("Starting etcd for existing cluster member")
		err = d.runEtcd(etcdStart{state: "existing", cluster: d.name + "=" + o.peerURL()})
	case o.ServerURL != "":
		err = d.join(ctx)
	default:
		err = d.newCluster(ctx)
	}
	if err == nil {
		err = d.waitVoter(ctx)
	}
	if err == nil {
		err = d.tidy(ctx)
	}
	if err == nil {
		go d.careForLearners(ctx)
		go d.runSchedule(ctx)
	}
	return err
}

// newCluster starts the only member of a new cluster, and fills it from SQLite.
func (d *Datastore) newCluster(ctx context.Context) error {
	o := d.options
	o.Log("Starting etcd for new cluster, cluster-reset=false")
	if err := d.runEtcd(etcdStart{state: "new", cluster: d.name + "=" + o.peerURL()}); err != nil {
		return err
	}
	if err := d.waitVoter(ctx); err != nil {
		return err
	}
	if err := d.migrateFromSQLite(ctx); err != nil {
		return fmt.Errorf("failed to migrate content from sqlite to etcd: %w", err)
	}
	return nil
}

// etcdStart is what differs between the ways to start etcd.
type etcdStart struct {
	state, cluster string
	reset          bool // make a new cluster of this one member, reachable from nowhere else
}

func (d *Datastore) runEtcd(start etcdStart) error {
	o := d.options
	if err := os.Chmod(o.etcdDir(), 0o700); err != nil {
		return err
	}
	config, err := o.etcdConfig(d.name, start)
	if err != nil {
		return err
	}
	path := filepath.Join(o.etcdDir(), "config")
	if err := certs.Write(path, config, 0o600); err != nil {
		return err
	}
	process, err := startProcess(filepath.Join(o.BinDir, "etcd"), d.hearEtcd, "--config-file", path)
	if err != nil {
		return err
	}
	d.watchProcess(process)
	return nil
}

// hearEtcd leaves the tombstone when etcd says that this member was removed.
func (d *Datastore) hearEtcd(line string) {
	if !strings.Contains(line, "the member has been permanently removed from the cluster") {
		return
	}
	if err := os.WriteFile(d.options.tombstone(), nil, 0o600); err != nil {
		d.options.Log("Failed to write tombstone file to %s: %v", d.options.tombstone(), err)
	}
	d.options.Log("This node has been removed from the cluster - please restart k3s to rejoin the cluster")
}

func (o Options) tombstone() string { return filepath.Join(o.etcdDir(), "tombstone") }

// moveRemovedAside makes a removed member a stranger again, which then joins anew (or, without a
// server to join, begins an empty cluster): the trap of a k3s that runs on after its removal.
//
// @see k3s pkg/etcd/etcd.go Register; https://github.com/k3s-io/k3s/issues/3513
func (o Options) moveRemovedAside() error {
	if _, err := os.Stat(o.tombstone()); err != nil {
		return nil
	}
	o.Log("tombstone file has been detected, removing data dir to rejoin the cluster")
	old, err := filepath.Glob(o.etcdDir() + "-backup-*")
	if err != nil {
		return err
	}
	sort.Strings(old)
	for ; len(old) > 5; old = old[1:] {
		if err := os.RemoveAll(old[0]); err != nil {
			return err
		}
	}
	return os.Rename(o.etcdDir(), fmt.Sprintf("%s-backup-%d", o.etcdDir(), time.Now().Unix()))
}

// setName reads the member's name, <node>-<8 hex digits>, or makes one.
func (d *Datastore) setName(anew bool) error {
	file := filepath.Join(d.options.etcdDir(), "name")
	if found, err := os.ReadFile(file); err == nil && !anew {
		d.name = string(found)
		return nil
	} else if err != nil && !os.IsNotExist(err) {
		return err
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	d.name = d.options.NodeName + "-" + hex.EncodeToString(random)
	if err := os.MkdirAll(d.options.etcdDir(), 0o700); err != nil {
		return err
	}
	return certs.Write(file, []byte(d.name), 0o600)
}

// waitVoter waits until this member serves as a voter, however long its peers take.
func (d *Datastore) waitVoter(ctx context.Context) error {
	ctx, cancel := d.process.context(ctx)
	defer cancel()
	told := time.Now()
	for {
		err := d.test(ctx)
		if err == nil {
			return nil
		}
		if time.Since(told) > 5*time.Second {
			d.options.Log("Failed to test etcd connection: %v", err)
			told = time.Now()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (d *Datastore) test(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// Linearizable: there is a quorum. Never the status: etcd 3.6 panics when it is asked for that
	// before it knows of its own membership, or after it was removed.
	list, err := d.client.MemberList(ctx)
	if errors.Is(err, rpctypes.Error(rpctypes.ErrGRPCNotSupportedForLearner)) {
		return errors.New("this server has not yet been promoted from learner to voting member")
	} else if err != nil {
		return err
	}
	for _, member := range list.Members {
		if member.Name == d.name && len(member.PeerURLs) > 0 && member.PeerURLs[0] == d.options.peerURL() {
			return nil
		}
	}
	return fmt.Errorf("this server is not a member of the etcd cluster, expect: %s=%s", d.name, d.options.peerURL())
}

// tidy defragments this member and clears alarms, as k3s does at each start.
func (d *Datastore) tidy(ctx context.Context) error {
	d.options.Log("Defragmenting etcd database")
	if _, err := d.client.Defragment(ctx, d.backend.Endpoint); err != nil {
		return fmt.Errorf("failed to defragment etcd database: %w", err)
	}
	alarms, err := d.client.AlarmList(ctx)
	if err == nil && len(alarms.Alarms) > 0 {
		_, err = d.client.AlarmDisarm(ctx, &clientv3.AlarmMember{})
	}
	return err
}

func (o Options) peerURL() string { return "https://" + net.JoinHostPort(o.NodeIP, "2380") }

func (o Options) local(scheme string, port int) string {
	return scheme + "://" + net.JoinHostPort(o.loopback, strconv.Itoa(port))
}

func (o Options) etcdBackend() Backend {
	return Backend{
		Endpoint: o.local("https", 2379),
		CAFile:   o.tls("server-ca.crt"), CertFile: o.tls("client.crt"), KeyFile: o.tls("client.key"),
	}
}
