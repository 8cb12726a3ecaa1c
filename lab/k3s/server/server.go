// Package server is `k3s server`: a datastore, a control plane in child processes, and the supervisor in front of it.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"triad.invalid/k3s/access"
	"triad.invalid/k3s/child"
	"triad.invalid/k3s/config"
	"triad.invalid/k3s/datastore"
	"triad.invalid/k3s/logs"
	"triad.invalid/k3s/release"
	"triad.invalid/k3s/token"
)

// Server is one that runs.
type Server struct {
	config   *config.Config
	data     string
	bin      string
	nodeName string
	nodeIP   string
	// What opens the supervisor to servers and to agents.
	password      string
	agentPassword string
	store         atomic.Pointer[datastore.Datastore]
	backend       datastore.Backend
	// Set once the API server answers that it is ready.
	kube      atomic.Pointer[kubernetes.Clientset]
	control   http.Handler
	processes []*child.Process
}

// Run starts a server and calls ready when its API server is; then it lasts until ctx ends.
func Run(ctx context.Context, c *config.Config, ready func(ctx context.Context, token string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := create(c)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return fmt.Errorf("starting kubernetes: preparing server: %w", err)
	}
	store := s.store.Load()
	if err := s.startControlPlane(ctx); err != nil {
		return fmt.Errorf("starting kubernetes: %w", err)
	}
	if err := s.startControllers(ctx); err != nil {
		return err
	}
	logs.Info("Kube API server is now running")
	if err := ready(ctx, s.agentToken()); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err = <-store.Exited():
	}
	// Nothing may be written any more when etcd hands its leadership over.
	cancel()
	for _, process := range s.processes {
		process.Kill()
	}
	store.Stop()
	return err
}

// Reset is `k3s server --cluster-reset`.
func Reset(ctx context.Context, c *config.Config) error {
	s, err := create(c)
	if err != nil {
		return err
	}
	if err := s.readTokens(); err != nil {
		return err
	}
	options := s.storeOptions()
	options.Restored = func(data []byte) error { return s.apply(data) }
	return datastore.ClusterReset(ctx, options, c.String("cluster-reset-restore-path"))
}

// SnapshotCommand is `k3s etcd-snapshot`: the server's files say where snapshots are and what they are called.
func SnapshotCommand(arguments []string) int {
	c, err := config.Parse("etcd-snapshot", nil)
	if err != nil {
		logs.Fatal("%v", err)
	}
	s, err := create(c)
	if err != nil {
		logs.Fatal("%v", err)
	}
	options := s.storeOptions()
	if saved, err := os.ReadFile(s.path("token")); err == nil {
		options.Token = strings.TrimSpace(string(saved))
	}
	return datastore.SnapshotCommand(options, arguments)
}

func create(c *config.Config) (*Server, error) {
	s := &Server{config: c, data: c.String("data-dir")}
	s.bin = release.BinFolder(s.data)
	var err error
	if s.nodeName, err = c.NodeName(); err != nil {
		return nil, err
	}
	s.nodeIP, err = c.NodeIP()
	return s, err
}

// path is one below <data-dir>/server.
func (s *Server) path(parts ...string) string {
	return filepath.Join(append([]string{s.data, "server"}, parts...)...)
}

func (s *Server) prepare(ctx context.Context) error {
	if err := s.readTokens(); err != nil {
		return err
	}
	if err := s.join(ctx); err != nil {
		return err
	}
	s.control = s.handler()
	// A server that knows the CAs answers /ping before its datastore does, which may have to wait for other members.
	known := s.hasAuthorities()
	if known {
		if err := s.listen(ctx); err != nil {
			return err
		}
	}
	store, backend, err := datastore.Start(ctx, s.storeOptions())
	if err != nil {
		return err
	}
	s.store.Store(store)
	s.backend = backend
	if err := s.reconcile(ctx, store); err != nil {
		return err
	}
	if err := s.writeTokens(); err != nil {
		return err
	}
	if err := s.writeKubeconfigs(); err != nil {
		return err
	}
	if known {
		return nil
	}
	return s.listen(ctx)
}

// join fetches the CAs of the cluster to be joined; a server that has etcd data needs nobody for a cold start.
func (s *Server) join(ctx context.Context) error {
	address := s.config.String("server")
	if address == "" || s.etcdInitialised() {
		return nil
	}
	if s.password == "" {
		return errors.New("K3S_TOKEN is required to join a cluster")
	}
	given, err := s.config.Secret("token")
	if err != nil {
		return err
	}
	if err := s.compareConfig(ctx, address, given); err != nil {
		return fmt.Errorf("failed to validate server configuration: %w", err)
	}
	info, err := access.Open(ctx, address, given, "server")
	if err != nil {
		return err
	}
	data, err := info.Get(ctx, "/v1-k3s/server-bootstrap")
	if err != nil {
		return err
	}
	return s.apply(data)
}

func (s *Server) etcdInitialised() bool {
	_, err := os.Stat(s.path("db", "etcd", "member", "wal"))
	return err == nil
}

func (s *Server) storeOptions() datastore.Options {
	c := s.config
	return datastore.Options{
		DataDir: s.data, NodeName: s.nodeName, NodeIP: s.nodeIP, BinDir: s.bin,
		ClusterInit: c.Bool("cluster-init"), ServerURL: c.String("server"), Token: s.password,
		DatastoreEndpoint: c.String("datastore-endpoint"), EtcdArgs: c.List("etcd-arg"),
		Snapshots: datastore.Snapshots{
			Disable: c.Bool("etcd-disable-snapshots"), Schedule: c.String("etcd-snapshot-schedule-cron"),
			Name: c.String("etcd-snapshot-name"), Dir: c.String("etcd-snapshot-dir"),
			Retention: c.Int("etcd-snapshot-retention"), Compress: c.Bool("etcd-snapshot-compress"),
		},
		Get: func(ctx context.Context, path string) ([]byte, error) {
			info, err := access.Open(ctx, c.String("server"), s.serverToken(), "server")
			if err != nil {
				return nil, err
			}
			return info.Get(ctx, path)
		},
		Log: logs.Info,
	}
}

func (s *Server) startControllers(ctx context.Context) error {
	settings, err := clientcmd.BuildConfigFromFlags("", s.path("cred", "supervisor.kubeconfig"))
	if err != nil {
		return err
	}
	settings.QPS, settings.Burst = 50, 100
	client, err := kubernetes.NewForConfig(settings)
	if err != nil {
		return err
	}
	s.kube.Store(client)
	go s.deploy(ctx)
	go s.labelNode(ctx, client)
	go s.forgetNodes(ctx, client)
	return s.store.Load().RunControllers(ctx, s.path("cred", "supervisor.kubeconfig"))
}

func (s *Server) serverToken() string {
	ca, err := os.ReadFile(s.path("tls", "server-ca.crt"))
	if err != nil {
		return s.password
	}
	return token.Full(ca, "server", s.password)
}

// agentToken is what this server's own agent part uses.
func (s *Server) agentToken() string {
	ca, _ := os.ReadFile(s.path("tls", "server-ca.crt"))
	return token.Full(ca, "node", s.agentPassword)
}

const patience = 200 * time.Millisecond
