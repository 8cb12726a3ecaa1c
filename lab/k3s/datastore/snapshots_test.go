package datastore

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// output is what a snapshot command prints on standard output.
func output(t *testing.T, o Options, args ...string) string {
	t.Helper()
	var text strings.Builder
	o.stdout = &text
	if err := snapshotCommand(t.Context(), o, args); err != nil {
		t.Fatal(args, err)
	}
	return text.String()
}

func names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

// https://docs.k3s.io/cli/etcd-snapshot, and the words of a k3s on SQLite.
func TestSnapshotsNeedEtcd(t *testing.T) {
	t.Parallel()
	o, _ := server(t, 1)
	start(t, o)
	for _, verb := range []string{"save", "ls", "prune"} {
		if err := snapshotCommand(t.Context(), o, []string{verb}); err == nil || err.Error() != "etcd datastore disabled" {
			t.Error(verb, err)
		}
	}
}

// https://docs.k3s.io/cli/etcd-snapshot: names, directory, listing, retention.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	o, log := server(t, 1)
	o.ClusterInit = true
	o.Snapshots = Snapshots{Schedule: "@every 1s", Name: "scheduled", Retention: 1, Compress: true}
	d := start(t, o)
	folder := o.server("db", "snapshots")
	eventually(t, "a scheduled one removed by the retention", func() bool {
		return log.has("Removing local snapshot " + folder + "/scheduled-node-1-")
	})
	d.cancel() // the schedule
	var scheduled []string
	eventually(t, "one scheduled one", func() bool {
		scheduled = names(t, folder)
		return len(scheduled) == 1 && strings.HasSuffix(scheduled[0], ".zip")
	})

	o.Snapshots.Compress = false
	output(t, o, "save")
	output(t, o, "save", "--name", "before", "--etcd-snapshot-compress")
	pattern := regexp.MustCompile(`^before-node-1-\d{10}\.zip on-demand-node-1-\d{10} scheduled-node-1-\d{10}\.zip$`)
	found := names(t, folder)
	if !pattern.MatchString(strings.Join(found, " ")) {
		t.Fatal(found)
	}
	if table := output(t, o, "ls"); !strings.HasPrefix(table, "Name ") || !strings.Contains(table, "file://"+folder+"/"+found[1]) {
		t.Error(table)
	}
	if text := output(t, o, "ls", "-o", "json"); !strings.Contains(text, `"location":"file://`+folder+"/"+found[0]) {
		t.Error(text)
	}

	// Retention holds per name and node; on-demand ones are not counted with the scheduled ones.
	for _, name := range []string{"etcd-snapshot-node-1-1700000001", "etcd-snapshot-node-1-1700000002.zip", "etcd-snapshot-node-2-1700000000"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	output(t, o, "prune", "--snapshot-retention", "1")
	if exists(filepath.Join(folder, "etcd-snapshot-node-1-1700000001")) || len(names(t, folder)) != 5 {
		t.Error(names(t, folder))
	}
	output(t, o, "delete", found[0], "etcd-snapshot-node-2-1700000000")
	if len(names(t, folder)) != 3 {
		t.Error(names(t, folder))
	}
	// k3s pkg/etcd/snapshot.go snapshotDir: only the default directory is made.
	if err := snapshotCommand(t.Context(), o, []string{"save", "--dir", filepath.Join(folder, "none")}); err == nil {
		t.Error("it made a directory of its own")
	}
}
