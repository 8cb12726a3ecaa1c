package datastore

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"triad.invalid/k3s/logs"
)

// SnapshotCommand is `k3s etcd-snapshot`; o carries what config files and environment say, args the
// rest of the command line. It returns the exit code.
//
// k3s asks its server to do it, this asks etcd itself; what can be seen of both is the same.
//
// @see https://docs.k3s.io/cli/etcd-snapshot
func SnapshotCommand(o Options, args []string) int {
	if err := snapshotCommand(context.Background(), o, args); err != nil {
		logs.Fatal("Error: see server log for details: %v", err)
	}
	return 0
}

func snapshotCommand(ctx context.Context, o Options, args []string) error {
	verb := "save"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		verb, args = args[0], args[1:]
	}
	// The name in the server's config is for scheduled snapshots.
	o.Snapshots.Name = "on-demand"
	if verb == "prune" {
		o.Snapshots.Name = "etcd-snapshot"
	}
	o = o.withDefaults()
	var output string
	flags := flag.NewFlagSet("etcd-snapshot "+verb, flag.ContinueOnError)
	for _, name := range []string{"name", "etcd-snapshot-name"} {
		flags.StringVar(&o.Snapshots.Name, name, o.Snapshots.Name, "first part of the snapshot's name")
	}
	for _, name := range []string{"dir", "etcd-snapshot-dir"} {
		flags.StringVar(&o.Snapshots.Dir, name, o.Snapshots.Dir, "directory of snapshots")
	}
	for _, name := range []string{"snapshot-compress", "etcd-snapshot-compress"} {
		flags.BoolVar(&o.Snapshots.Compress, name, o.Snapshots.Compress, "compress the snapshot")
	}
	for _, name := range []string{"snapshot-retention", "etcd-snapshot-retention"} {
		flags.IntVar(&o.Snapshots.Retention, name, o.Snapshots.Retention, "snapshots to keep")
	}
	for _, name := range []string{"d", "data-dir"} {
		flags.StringVar(&o.DataDir, name, o.DataDir, "k3s's data directory")
	}
	for _, name := range []string{"o", "output"} {
		flags.StringVar(&output, name, "", "json, or a table")
	}
	flags.StringVar(&o.NodeName, "node-name", o.NodeName, "this node's name")
	if err := flags.Parse(args); err != nil {
		return err
	}
	d, err := o.reachEtcd(ctx)
	if err != nil {
		return err
	}
	defer d.client.Close()
	switch verb {
	case "save":
		// Only the schedule and `prune` apply the retention.
		name, err := d.saveSnapshot(ctx, o.Snapshots)
		if err == nil {
			o.Log("Snapshot %s saved.", name)
		}
		return err
	case "ls", "list", "l":
		return o.printSnapshots(output)
	case "delete":
		return o.deleteSnapshots(flags.Args())
	case "prune":
		deleted, err := o.pruneSnapshots(o.Snapshots)
		for _, name := range deleted {
			o.Log("Snapshot %s deleted.", name)
		}
		return err
	}
	return fmt.Errorf("no such command: etcd-snapshot %s", verb)
}

// reachEtcd is an error where the datastore is not etcd or does not run.
func (o Options) reachEtcd(ctx context.Context) (*Datastore, error) {
	if !o.initialised() {
		return nil, errDisabled
	}
	d := &Datastore{Kind: Etcd, options: o, backend: o.etcdBackend()}
	client, err := connect(ctx, d.backend)
	if err != nil {
		return nil, err
	}
	d.client = client
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := client.Status(ctx, d.backend.Endpoint); err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("failed to check etcd status for snapshot: %w", err)
	}
	return d, nil
}

func (o Options) printSnapshots(output string) error {
	files, err := o.listSnapshots(o.Snapshots)
	if err != nil {
		return err
	}
	if output == "json" {
		type object = map[string]any
		items := []object{}
		for _, f := range files {
			items = append(items, object{
				"metadata": object{"name": f.name},
				"spec":     object{"snapshotName": f.name, "nodeName": o.NodeName, "location": "file://" + f.path},
				"status":   object{"size": fmt.Sprint(f.size), "creationTime": f.created.UTC(), "readyToUse": true},
			})
		}
		return json.NewEncoder(o.stdout).Encode(object{"kind": "ETCDSnapshotFileList", "items": items})
	}
	table := tabwriter.NewWriter(o.stdout, 0, 0, 1, ' ', 0)
	fmt.Fprint(table, "Name\tLocation\tSize\tCreated\n")
	for _, f := range files {
		fmt.Fprintf(table, "%s\tfile://%s\t%d\t%s\n", f.name, f.path, f.size, f.created.UTC().Format(time.RFC3339))
	}
	return table.Flush()
}

func (o Options) deleteSnapshots(names []string) error {
	if len(names) == 0 {
		return errors.New("no snapshots given for removal")
	}
	folder, err := o.snapshotDir(o.Snapshots)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(folder, filepath.Base(name))); os.IsNotExist(err) {
			o.Log("Snapshot %s not found.", name)
			continue
		} else if err != nil {
			return err
		}
		o.Log("Snapshot %s deleted.", name)
	}
	return nil
}
