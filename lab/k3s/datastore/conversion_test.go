package datastore

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// https://docs.k3s.io/datastore: SQLite is what k3s takes when it is told nothing.
func TestSQLiteKeepsDataOverARestart(t *testing.T) {
	t.Parallel()
	o, _ := server(t, 1)
	d := start(t, o)
	write(t, d, "/registry/a")
	d.Stop()
	if d = start(t, o); d.Kind != SQLite || read(t, d, "/registry/a") != "value of /registry/a" {
		t.Fatal("lost", d.Kind)
	}
	if d.backend.Endpoint != "unix://"+o.server("kine.sock") {
		t.Fatal(d.backend)
	}
}

// k3s pkg/etcd/etcd.go migrateFromSQLite: every key below /registry/, nothing else, no leases.
func TestConversionCopiesEveryKey(t *testing.T) {
	t.Parallel()
	o, log := server(t, 1)
	d := start(t, o)
	for i := range 30 {
		write(t, d, fmt.Sprintf("/registry/configmaps/default/%d", i))
	}
	lease, err := d.client.Grant(t.Context(), 3600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.client.Txn(t.Context()).
		If(clientv3.Compare(clientv3.ModRevision("/registry/events/e"), "=", 0)).
		Then(clientv3.OpPut("/registry/events/e", "v", clientv3.WithLease(lease.ID))).Commit()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SaveBootstrap(t.Context(), []byte("files")); err != nil {
		t.Fatal(err)
	}
	d.Stop()

	o.ClusterInit = true
	d = start(t, o)
	found, err := d.client.Get(t.Context(), "/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	copied := 0
	for _, pair := range found.Kvs {
		if pair.Lease != 0 {
			t.Errorf("%s still has a lease", pair.Key)
		}
		if string(pair.Value) == "value of "+string(pair.Key) {
			copied++
		}
	}
	if copied != 30 || read(t, d, "/registry/events/e") != "v" {
		t.Fatal("copied", copied)
	}
	if _, saved, err := d.LoadBootstrap(t.Context()); saved || err != nil {
		t.Error("bootstrap data was copied", err)
	}
	if exists(o.stateDB()) || !exists(o.stateDB()+".migrated") {
		t.Error("state.db was not renamed")
	}
	// Another trap: what is still in the WAL does not come along with a renamed state.db.
	if !exists(o.stateDB() + "-wal") {
		t.Error("state.db-wal was renamed, too")
	}
	if !log.has("Migrating content from sqlite to etcd") || !log.has("Migrating etcd key /registry/configmaps/default/7") {
		t.Error("k3s's log lines are missing")
	}
	d.Stop()

	// cluster-init may stay in the config, or go: etcd data on disk wins over all flags.
	o.ClusterInit, o.DatastoreEndpoint = false, "http://127.0.0.1:1"
	if d = start(t, o); d.Kind != Etcd || read(t, d, "/registry/events/e") != "v" {
		t.Fatal("etcd data was not taken", d.Kind)
	}
}

// The trap of a stale db/etcd beside a live state.db: k3s takes it and says nothing.
// k3s pkg/etcd/etcd.go IsInitialized.
func TestStaleEtcdWinsOverSQLite(t *testing.T) {
	t.Parallel()
	stale, _ := server(t, 1)
	stale.ClusterInit = true
	d := start(t, stale)
	write(t, d, "/registry/stale")
	d.Stop()

	o, log := server(t, 1)
	d = start(t, o)
	write(t, d, "/registry/live")
	d.Stop()
	if err := os.Rename(stale.etcdDir(), o.etcdDir()); err != nil {
		t.Fatal(err)
	}
	o.ClusterInit = true
	d = start(t, o)
	if read(t, d, "/registry/live") != "" || read(t, d, "/registry/stale") == "" {
		t.Fatal("SQLite was migrated")
	}
	if !exists(o.stateDB()) || log.has("sqlite") {
		t.Fatal("it was not silent")
	}
}

// The trap of a copy that is cut off: the next start skips it and serves what was copied.
// https://github.com/k3s-io/k3s/pull/3231. And: what k3s embeds dies with it.
func TestPowerCutDuringTheCopyLeavesHalfACluster(t *testing.T) {
	t.Parallel()
	o, _ := server(t, 1)
	d := start(t, o)
	for i := range 40 {
		write(t, d, fmt.Sprintf("/registry/%02d", i))
	}
	d.Stop()

	o.ClusterInit = true
	victim := elsewhere(t, o, "TRIAD_DOUBLE_MIGRATION_DELAY_MS=50")
	watcher := Datastore{}
	eventually(t, "a first copied key", func() bool {
		if !exists(filepath.Join(o.etcdDir(), "member", "wal")) {
			return false
		}
		if watcher.client == nil {
			watcher.client, _ = connect(t.Context(), o.etcdBackend())
			return false
		}
		found, err := watcher.client.Get(t.Context(), "/registry/05")
		return err == nil && len(found.Kvs) == 1
	})
	_ = watcher.client.Close()
	_ = victim.Process.Kill()
	_ = victim.Wait()
	time.Sleep(200 * time.Millisecond) // the kernel's own kills

	d = start(t, o)
	found, err := d.client.Get(t.Context(), "/registry/", clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	if found.Count < 6 || found.Count >= 40 {
		t.Fatal("keys after the cut:", found.Count)
	}
	if !exists(o.stateDB()) || exists(o.stateDB()+".migrated") {
		t.Fatal("state.db was renamed")
	}
}
