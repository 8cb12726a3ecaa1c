package datastore

import (
	"context"
	"os"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// migrateFromSQLite copies the keys of state.db, one by one, into this etcd, and renames state.db.
//
// Leases, revisions and /bootstrap are not copied, and -wal and -shm are not renamed, as with k3s.
// If it fails, the next start finds db/etcd/member/wal and comes up with what was copied so far.
//
// @see k3s pkg/etcd/etcd.go migrateFromSQLite; https://github.com/k3s-io/k3s/pull/3231
func (d *Datastore) migrateFromSQLite(ctx context.Context) error {
	o := d.options
	if _, err := os.Stat(o.stateDB()); os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	// Not k3s's: time for a test to cut the power while keys are being copied.
	delay, _ := strconv.Atoi(os.Getenv("TRIAD_DOUBLE_MIGRATION_DELAY_MS"))

	o.Log("Migrating content from sqlite to etcd")
	process, sqlite, err := o.startKine(ctx, o.server("kine.sock"))
	if err != nil {
		return err
	}
	defer process.stop(5 * time.Second)
	defer sqlite.Close()

	found, err := sqlite.Get(ctx, "/registry/", clientv3.WithPrefix())
	if err != nil {
		return err
	}
	for _, pair := range found.Kvs {
		o.Log("Migrating etcd key %s", pair.Key)
		if _, err := d.client.Put(ctx, string(pair.Key), string(pair.Value)); err != nil {
			return err
		}
		time.Sleep(time.Duration(delay) * time.Millisecond)
	}
	return os.Rename(o.stateDB(), o.stateDB()+".migrated")
}
