package datastore

import (
	"path/filepath"
	"strings"
	"testing"
)

// k3s pkg/etcd/etcd.go Reset, pkg/cli/server/server.go; https://docs.k3s.io/cli/etcd-snapshot.
func TestClusterReset(t *testing.T) {
	t.Parallel()
	o, log := server(t, 1)
	o.ClusterInit = true
	d := start(t, o)
	write(t, d, "/registry/before")
	if err := d.SaveBootstrap(t.Context(), []byte("files")); err != nil {
		t.Fatal(err)
	}
	output(t, o, "save", "--etcd-snapshot-compress")
	snapshots, _ := filepath.Glob(o.server("db", "snapshots", "on-demand-*.zip"))
	write(t, d, "/registry/after")
	peer, _ := server(t, 2)
	d2 := start(t, joining(peer, d))
	name := d.name
	d2.Stop()
	d.Stop() // two of two are gone: no quorum without the peer

	reset := func(o Options, path, words string) {
		t.Helper()
		if err := ClusterReset(t.Context(), o, path); (err == nil) != (words == "") || err != nil && !strings.Contains(err.Error(), words) {
			t.Fatal(err)
		}
	}
	joined := o
	joined.ServerURL = "https://192.0.2.1:6443"
	reset(joined, "", "cannot perform cluster-reset while server URL is set - remove server from configuration before resetting")
	reset(o, "", "")
	if !log.has("Managed etcd cluster membership has been reset, restart without --cluster-reset flag now") || !exists(o.resetFlag()) {
		t.Error("words or flag are missing")
	}
	reset(o, "", "Managed etcd cluster membership was previously reset")

	d = start(t, o)
	list := members(t, d)
	if len(list) != 1 || list[0].Name != d.name || d.name == name || list[0].PeerURLs[0] != o.peerURL() {
		t.Error(list)
	}
	if read(t, d, "/registry/after") == "" {
		t.Error("data is lost")
	}
	d.Stop()

	// With a restore path the flag does not stop it, and the snapshot's data comes back.
	reset(o, "/nowhere", "etcd: snapshot path does not exist: /nowhere")
	restored := ""
	o.Restored = func(data []byte) error { restored = string(data); return nil }
	wrong := o
	wrong.Token = "another"
	reset(wrong, snapshots[0], "bootstrap data already found and encrypted with different token")
	reset(o, snapshots[0], "")
	if aside, _ := filepath.Glob(o.etcdDir() + "-old-*"); len(aside) == 0 {
		t.Error("the old data is not aside")
	}
	d = start(t, o)
	if read(t, d, "/registry/before") == "" || read(t, d, "/registry/after") != "" || restored != "files" {
		t.Error("it is not the snapshot's data", restored)
	}
	if len(members(t, d)) != 1 {
		t.Error(members(t, d))
	}
}
