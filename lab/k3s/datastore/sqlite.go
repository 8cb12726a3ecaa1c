package datastore

import (
	"context"
	"os"
	"path/filepath"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// startSQLite runs kine over server/db/state.db, as k3s does when it is told nothing else.
func (d *Datastore) startSQLite(ctx context.Context) error {
	d.Kind = SQLite
	socket := d.options.server("kine.sock")
	process, client, err := d.options.startKine(ctx, socket)
	if err != nil {
		return err
	}
	d.client, d.backend = client, Backend{Endpoint: "unix://" + socket}
	d.watchProcess(process)
	return nil
}

func (o Options) stateDB() string { return o.server("db", "state.db") }

// startKine serves state.db on a socket; it returns when reads work.
func (o Options) startKine(ctx context.Context, socket string) (*process, *clientv3.Client, error) {
	if err := os.MkdirAll(filepath.Dir(o.stateDB()), 0o700); err != nil {
		return nil, nil, err
	}
	process, err := startProcess(filepath.Join(o.BinDir, "kine"), nil,
		"--endpoint", "sqlite://"+o.stateDB()+"?_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate",
		"--listen-address", "unix://"+socket,
		"--metrics-bind-address", "0")
	if err != nil {
		return nil, nil, err
	}
	client, err := connect(ctx, Backend{Endpoint: "unix://" + socket})
	if err != nil {
		process.stop(time.Second)
		return nil, nil, err
	}
	ctx, cancel := process.context(ctx)
	defer cancel()
	for ctx.Err() == nil {
		probe, cancel := context.WithTimeout(ctx, time.Second)
		_, err = client.Get(probe, "/registry/health")
		cancel()
		if err == nil {
			return process, client, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = client.Close()
	process.stop(time.Second)
	return nil, nil, context.Cause(ctx)
}
