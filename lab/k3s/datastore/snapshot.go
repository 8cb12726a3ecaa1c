package datastore

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"go.etcd.io/etcd/client/v3/snapshot"
	"go.uber.org/zap"
)

const zipExtension = ".zip"

// snapshotFile is one in the snapshot directory.
type snapshotFile struct {
	name    string
	path    string
	size    int64
	created time.Time
}

// runSchedule takes snapshots as the cron says, up to 5 s late so that servers don't do it all at once.
//
// @see k3s pkg/etcd/snapshot.go
func (d *Datastore) runSchedule(ctx context.Context) {
	if d.options.Snapshots.Disable {
		return
	}
	schedule := cron.New()
	_, err := schedule.AddFunc(d.options.Snapshots.Schedule, func() {
		time.Sleep(rand.N(5 * time.Second))
		if ctx.Err() != nil {
			return
		}
		if _, err := d.saveSnapshot(ctx, d.options.Snapshots); err != nil {
			d.options.Log("Failed to take etcd snapshot: %v", err)
			return
		}
		if _, err := d.options.pruneSnapshots(d.options.Snapshots); err != nil {
			d.options.Log("Failed to apply local snapshot retention policy: %v", err)
		}
	})
	if err != nil {
		d.options.Log("Failed to schedule etcd snapshots: %v", err)
		return
	}
	schedule.Start()
	<-ctx.Done()
	schedule.Stop()
}

// saveSnapshot writes <name>-<node>-<unix seconds>, with .zip if compressed, and returns that name.
func (d *Datastore) saveSnapshot(ctx context.Context, s Snapshots) (string, error) {
	if !d.snapshotMu.TryLock() {
		return "", errors.New("snapshot save already in progress")
	}
	defer d.snapshotMu.Unlock()
	status, err := d.client.Status(ctx, d.backend.Endpoint)
	if err != nil {
		return "", fmt.Errorf("failed to check etcd status for snapshot: %w", err)
	}
	if status.IsLearner {
		return "", errors.New("unable to take snapshot: not supported for learner")
	}
	folder, err := d.options.snapshotDir(s)
	if err != nil {
		return "", fmt.Errorf("failed to get etcd-snapshot-dir: %w", err)
	}
	name := fmt.Sprintf("%s-%s-%d", s.Name, d.options.NodeName, time.Now().Unix())
	path := filepath.Join(folder, name)
	d.options.Log("Saving etcd snapshot to %s", path)
	config, err := d.backend.clientConfig(ctx)
	if err != nil {
		return "", err
	}
	if _, err := snapshot.SaveWithVersion(ctx, zap.NewNop(), config, path); err != nil || !s.Compress {
		return name, err
	}
	d.options.Log("Compressing etcd snapshot file: %s", name)
	defer os.Remove(path)
	return name + zipExtension, compress(path)
}

// snapshotDir makes the default directory; any other has to exist, as with k3s.
func (o Options) snapshotDir(s Snapshots) (string, error) {
	usual := o.server("db", "snapshots")
	if s.Dir == "" || s.Dir == usual {
		return usual, os.MkdirAll(usual, 0o700)
	}
	info, err := os.Stat(s.Dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", s.Dir)
	}
	return s.Dir, err
}

// listSnapshots returns the files, oldest first; their time is the number at the end of the name.
func (o Options) listSnapshots(s Snapshots) ([]snapshotFile, error) {
	folder, err := o.snapshotDir(s)
	if err != nil {
		return nil, fmt.Errorf("failed to get etcd-snapshot-dir: %w", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []snapshotFile
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || info.IsDir() {
			continue
		}
		file := snapshotFile{entry.Name(), filepath.Join(folder, entry.Name()), info.Size(), info.ModTime()}
		base := strings.TrimSuffix(file.name, zipExtension)
		if unix, err := strconv.ParseInt(base[strings.LastIndex(base, "-")+1:], 10, 64); err == nil {
			file.created = time.Unix(unix, 0)
		}
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b snapshotFile) int { return a.created.Compare(b.created) })
	return files, nil
}

// pruneSnapshots deletes the oldest of this name and node beyond the retention.
func (o Options) pruneSnapshots(s Snapshots) (deleted []string, err error) {
	if s.Retention < 1 {
		return nil, nil
	}
	files, err := o.listSnapshots(s)
	if err != nil {
		return nil, err
	}
	prefix := s.Name + "-" + o.NodeName + "-"
	files = slices.DeleteFunc(files, func(f snapshotFile) bool { return !strings.HasPrefix(f.name, prefix) })
	for ; len(files) > s.Retention; files = files[1:] {
		o.Log("Removing local snapshot %s", files[0].path)
		if err := os.Remove(files[0].path); err != nil {
			return deleted, err
		}
		deleted = append(deleted, files[0].name)
	}
	return deleted, nil
}

func compress(path string) error {
	source, err := os.Open(path)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(path+zipExtension, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer target.Close()
	archive := zip.NewWriter(target)
	entry, err := archive.Create(filepath.Base(path))
	if err == nil {
		_, err = io.Copy(entry, source)
	}
	return errors.Join(err, archive.Close(), target.Sync())
}

// decompress writes a snapshot's content to a new file in folder and returns its path.
func decompress(path, folder string) (string, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return "", err
	}
	defer archive.Close()
	if len(archive.File) != 1 {
		return "", fmt.Errorf("%s holds %d files, not one snapshot", path, len(archive.File))
	}
	source, err := archive.File[0].Open()
	if err != nil {
		return "", err
	}
	defer source.Close()
	target, err := os.CreateTemp(folder, "restore-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(target, source)
	return target.Name(), errors.Join(err, target.Close())
}
