package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/datastore"
	"triad.invalid/k3s/logs"
)

// shared are the files that are the same on all servers, by the names that they have in the bootstrap data.
// Source: pkg/daemons/config/types.go of k3s, ControlRuntimeBootstrap.
var shared = map[string]string{
	"ServerCA": "tls/server-ca.crt", "ServerCAKey": "tls/server-ca.key",
	"ClientCA": "tls/client-ca.crt", "ClientCAKey": "tls/client-ca.key",
	"RequestHeaderCA": "tls/request-header-ca.crt", "RequestHeaderCAKey": "tls/request-header-ca.key",
	"ETCDServerCA": "tls/etcd/server-ca.crt", "ETCDServerCAKey": "tls/etcd/server-ca.key",
	"ETCDPeerCA": "tls/etcd/peer-ca.crt", "ETCDPeerCAKey": "tls/etcd/peer-ca.key",
	"ServiceKey": "tls/service.key", "EncryptionConfig": "cred/encryption-config.json",
}

// Clocks of servers may differ by so much.
const skew = 3 * time.Second

type file struct {
	Timestamp time.Time
	Content   []byte
}

func (s *Server) hasAuthorities() bool {
	for _, name := range []string{"ServerCA", "ClientCA", "RequestHeaderCA", "ServiceKey"} {
		if _, err := os.Stat(s.path(shared[name])); err != nil {
			return false
		}
	}
	return true
}

// collect reads the shared files of this server.
func (s *Server) collect() ([]byte, error) {
	files := map[string]file{}
	for name, path := range shared {
		info, err := os.Stat(s.path(path))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		content, err := os.ReadFile(s.path(path))
		if err != nil {
			return nil, err
		}
		files[name] = file{info.ModTime(), content}
	}
	return json.Marshal(files)
}

// apply writes the cluster's shared files here. What lies here and is newer may be the truth after a restore, or the rest
// of another life of this machine: the owner has to say. Source: https://github.com/k3s-io/k3s/issues/4910
func (s *Server) apply(data []byte) error {
	files := map[string]file{}
	if err := json.Unmarshal(data, &files); err != nil {
		return fmt.Errorf("bootstrap data: %w", err)
	}
	var newer []string
	for name, cluster := range files {
		path := s.path(shared[name])
		found, err := os.ReadFile(path)
		if err != nil || bytes.Equal(found, cluster.Content) {
			continue
		}
		logs.Warn("%s is out of sync with datastore", path)
		if info, err := os.Stat(path); err == nil && info.ModTime().Sub(cluster.Timestamp) > skew {
			newer = append(newer, path)
		}
	}
	if len(newer) > 0 {
		return fmt.Errorf("%v newer than datastore and could cause a cluster outage. "+
			"Remove the file(s) from disk and restart to be recreated from datastore", newer)
	}
	for name, cluster := range files {
		path, known := shared[name]
		if !known {
			continue
		}
		if found, err := os.ReadFile(s.path(path)); err == nil && bytes.Equal(found, cluster.Content) {
			continue
		}
		if err := certs.Write(s.path(path), cluster.Content, 0o600); err != nil {
			return err
		}
		if err := os.Chtimes(s.path(path), time.Time{}, cluster.Timestamp); err != nil {
			return err
		}
	}
	return nil
}

// reconcile makes disk and datastore agree; a datastore without bootstrap data, be it new or just copied from SQLite, gets
// them from the disk.
func (s *Server) reconcile(ctx context.Context, store *datastore.Datastore) error {
	logs.Info("Reconciling bootstrap data between datastore and disk")
	data, found, err := store.LoadBootstrap(ctx)
	if err != nil {
		return err
	}
	if found {
		if err := s.apply(data); err != nil {
			return err
		}
	}
	if err := s.makeCertificates(); err != nil {
		return err
	}
	if found {
		return nil
	}
	if data, err = s.collect(); err != nil {
		return err
	}
	return store.SaveBootstrap(ctx, data)
}
