package datastore

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// lost is a cluster of three that is off, and a snapshot of it. Whatever the others did, the first one goes on alone.
func lost(t *testing.T) (survivor Options, others []Options, snapshot string) {
	t.Helper()
	survivor, _ = server(t, 1)
	survivor.ClusterInit = true
	d := start(t, survivor)
	write(t, d, "/registry/before")
	if err := d.SaveBootstrap(t.Context(), []byte("files")); err != nil {
		t.Fatal(err)
	}
	var running []*Datastore
	for number := range 2 {
		o, _ := server(t, 2+number)
		others = append(others, joining(o, d))
		running = append(running, start(t, others[number]))
	}
	eventually(t, "three voters", func() bool { return voters(t, d) == 3 })
	output(t, survivor, "save")
	found, _ := filepath.Glob(survivor.server("db", "snapshots", "on-demand-*"))
	for _, one := range append(running, d) {
		one.Stop()
	}
	return survivor, others, found[0]
}

// revived starts lost servers with their old data, all at once, and says what became of each within the time.
func revived(t *testing.T, limit time.Duration, lost ...Options) (served []*Datastore) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	results := make(chan *Datastore, len(lost))
	for _, o := range lost {
		go func() {
			d, _, err := Start(ctx, o)
			if err != nil {
				d = nil
			}
			results <- d
		}()
	}
	for range lost {
		if d := <-results; d != nil {
			t.Cleanup(d.Stop)
			served = append(served, d)
		}
	}
	return served
}

func unharmed(t *testing.T, d *Datastore) {
	t.Helper()
	write(t, d, "/registry/later")
	if voters(t, d) != 1 || read(t, d, "/registry/after") == "" {
		t.Error("the survivor is not what it was", members(t, d))
	}
}

// force-new-cluster keeps the cluster's id and remembers who was in it: a lost server that comes back is told that it was
// removed, and its etcd ends, also where two of three come back at once and would have had a majority.
//
// @see etcd server/etcdserver/bootstrap.go (ForceNewCluster); api/rafthttp/http.go (StatusGone)
func TestRevivedAfterAResetTheLostEnd(t *testing.T) {
	t.Parallel()
	o, others, _ := lost(t)
	if err := ClusterReset(t.Context(), o, ""); err != nil {
		t.Fatal(err)
	}
	d := start(t, o)
	write(t, d, "/registry/after")
	if served := revived(t, 20*time.Second, others...); len(served) != 0 {
		t.Error("served:", len(served))
	}
	for _, other := range others {
		if !exists(other.tombstone()) {
			t.Error("it was not told:", other.NodeName)
		}
	}
	unharmed(t, d)
}

// A snapshot makes a cluster of another id. One lost server has no majority and is refused ("cluster ID mismatch"); two are
// the old cluster again, beside the new one: nobody tells them. They have to be cleaned before they are switched on.
func TestRevivedAfterARestoreTheLostAreAClusterOfTheirOwn(t *testing.T) {
	t.Parallel()
	o, others, snapshot := lost(t)
	if err := ClusterReset(t.Context(), o, snapshot); err != nil {
		t.Fatal(err)
	}
	d := start(t, o)
	write(t, d, "/registry/after")
	if served := revived(t, 8*time.Second, others[0]); len(served) != 0 {
		t.Error("one alone served")
	}
	unharmed(t, d)
	served := revived(t, 20*time.Second, others...)
	if len(served) != 2 {
		t.Fatal("served:", len(served))
	}
	if read(t, served[0], "/registry/before") == "" || read(t, served[0], "/registry/after") != "" {
		t.Error("it is not the old cluster")
	}
	unharmed(t, d)
}
