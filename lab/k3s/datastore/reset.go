package datastore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"triad.invalid/k3s/certs"
)

// resetFlag keeps a second reset from happening by mistake; a normal start removes it.
func (o Options) resetFlag() string { return o.server("db", "reset-flag") }

// ClusterReset is `k3s server --cluster-reset`: it makes this member the only one, from its own data or
// from a snapshot, and returns when that is done. On SQLite it makes an empty etcd, as k3s does.
//
// @see k3s pkg/etcd/etcd.go Reset; https://docs.k3s.io/cli/etcd-snapshot
func ClusterReset(ctx context.Context, o Options, restorePath string) error {
	o = o.withDefaults()
	if o.ServerURL != "" {
		return errors.New("cannot perform cluster-reset while server URL is set - remove server from configuration before resetting")
	}
	if _, err := os.Stat(o.resetFlag()); err == nil && restorePath == "" {
		// k3s's own words, with their capital letter.
		return fmt.Errorf("Managed etcd cluster membership was previously reset, please remove the cluster-reset flag and start k3s normally. "+
			"If you need to perform another cluster reset, you must first manually delete the file at %s", o.resetFlag())
	}
	if err := EnsureTLS(o); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &Datastore{Kind: Etcd, options: o, backend: o.etcdBackend(), cancel: cancel, exited: make(chan error, 1)}
	defer d.Stop()
	if restorePath != "" {
		if err := d.restore(ctx, restorePath); err != nil {
			return err
		}
	}
	if err := d.setName(true); err != nil {
		return err
	}
	if err := certs.Write(o.resetFlag(), nil, 0o600); err != nil {
		return err
	}
	client, err := connect(ctx, d.backend)
	if err != nil {
		return err
	}
	d.client = client
	o.Log("Starting etcd for new cluster, cluster-reset=true")
	start := etcdStart{state: "new", cluster: d.name + "=" + o.peerURL(), reset: true}
	if err := d.runEtcd(start); err != nil {
		return err
	}
	if err := d.takePeerURL(ctx); err != nil {
		return err
	}
	if err := d.waitVoter(ctx); err != nil {
		return err
	}
	data, found, err := d.LoadBootstrap(ctx)
	if err == nil && found && restorePath != "" && o.Restored != nil {
		err = o.Restored(data)
	}
	if err != nil {
		return err
	}
	d.Stop()
	o.Log("Managed etcd cluster membership has been reset, restart without --cluster-reset flag now. " +
		"Backup and delete ${datadir}/server/db on each peer etcd server and rejoin the nodes")
	return nil
}

// restore moves the data aside and puts a snapshot's content in its place.
func (d *Datastore) restore(ctx context.Context, path string) error {
	o := d.options
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return fmt.Errorf("etcd: snapshot path does not exist: %s", path)
	} else if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("etcd: snapshot path must be a file, not a directory: %s", path)
	}
	if strings.HasSuffix(path, zipExtension) {
		plain, err := decompress(path, o.server("db"))
		if err != nil {
			return err
		}
		defer os.Remove(plain)
		path = plain
	}
	if err := d.setName(false); err != nil {
		return err
	}
	old := fmt.Sprintf("%s-old-%d", o.etcdDir(), time.Now().Unix())
	if err := os.Rename(o.etcdDir(), old); err != nil {
		return err
	}
	o.Log("Pre-restore etcd database moved to %s", old)
	restoring := exec.CommandContext(ctx, filepath.Join(o.BinDir, "etcdutl"), "snapshot", "restore", path,
		"--name", d.name, "--data-dir", o.etcdDir(),
		"--initial-cluster", d.name+"="+o.peerURL(), "--initial-advertise-peer-urls", o.peerURL())
	if output, err := restoring.CombinedOutput(); err != nil {
		return fmt.Errorf("etcdutl snapshot restore: %w: %s", err, output)
	}
	return nil
}

// takePeerURL gives the one member this node's address, which may have changed.
func (d *Datastore) takePeerURL(ctx context.Context) error {
	ctx, cancel := d.process.context(ctx)
	defer cancel()
	for {
		probe, cancel := context.WithTimeout(ctx, 2*time.Second)
		list, err := d.client.MemberList(probe)
		if err == nil && len(list.Members) == 1 {
			if !hasHost(list.Members[0].PeerURLs, d.options.NodeIP) {
				_, err = d.client.MemberUpdate(probe, list.Members[0].ID, []string{d.options.peerURL()})
			}
			if err == nil {
				cancel()
				return nil
			}
		}
		cancel()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
