package datastore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"triad.invalid/k3s/certs"
)

// programs collects what the lab has built for its machines.
func programs(t *testing.T) string {
	folder := t.TempDir()
	for _, name := range []string{"etcd", "etcdutl", "kine"} {
		link(t, filepath.Join(folder, name), "go/*/bin/"+name)
	}
	return folder
}

// link links a program to the first that matches in the lab's cache.
func link(t *testing.T, path string, patterns ...string) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(filepath.Join(cache, "triad", pattern)); len(found) > 0 {
			if err := os.Symlink(found[0], path); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Skipf("the lab has not built %s yet: make lab", filepath.Base(path))
}

// logged keeps what k3s would have logged.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) add(format string, values ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, values...))
}

func (l *logged) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(strings.Join(l.lines, "\n"), part)
}

// networks gives each test addresses of its own.
var networks = struct {
	sync.Mutex
	of map[string]int
}{of: map[string]int{}}

func network(t *testing.T) int {
	networks.Lock()
	defer networks.Unlock()
	if networks.of[t.Name()] == 0 {
		networks.of[t.Name()] = 30 + len(networks.of)
	}
	return networks.of[t.Name()]
}

// server is the options of one server of a test; number tells them apart by address.
func server(t *testing.T, number int) (Options, *logged) {
	log, prefix := &logged{}, fmt.Sprintf("127.%d.%d.", network(t), number)
	return Options{
		DataDir: t.TempDir(), BinDir: programs(t), Log: log.add,
		NodeName: fmt.Sprintf("node-%d", number), NodeIP: prefix + "1",
		Token: "K10" + strings.Repeat("0", 64) + "::server:secret",
		// Quicker elections than k3s's, so that tests are quick.
		EtcdArgs:  []string{"heartbeat-interval=100", "election-timeout=1000"},
		Snapshots: Snapshots{Disable: true},
		loopback:  prefix + "2", tick: 300 * time.Millisecond,
		Get: func(context.Context, string) ([]byte, error) { return nil, errors.New("unreachable") },
	}, log
}

// joining lets a server ask another one for its members, and gives it that one's CAs, which k3s gets
// with the bootstrap data.
func joining(o Options, d *Datastore) Options {
	for _, file := range []string{"server-ca.crt", "server-ca.key", "peer-ca.crt", "peer-ca.key"} {
		if content, err := os.ReadFile(d.options.tls(file)); err == nil {
			_ = certs.Write(o.tls(file), content, 0o600)
		}
	}
	o.ServerURL = "https://" + d.options.NodeIP + ":6443"
	o.Get = func(ctx context.Context, _ string) ([]byte, error) { return d.DBInfo(ctx) }
	return o
}

func start(t *testing.T, o Options) *Datastore {
	t.Helper()
	d, _, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	return d
}

// restart starts a removed server as systemd does: once more if it fails. etcd may have died before it
// learnt of its removal, and then learns it at the first start.
func restart(t *testing.T, o Options) *Datastore {
	t.Helper()
	if d, _, err := Start(t.Context(), o); err == nil {
		t.Cleanup(d.Stop)
		return d
	}
	return start(t, o)
}

func write(t *testing.T, d *Datastore, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := put(t.Context(), d.client, key, "value of "+key); err != nil {
			t.Fatal(key, err)
		}
	}
}

func read(t *testing.T, d *Datastore, key string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	found, err := d.client.Get(ctx, key)
	if err != nil {
		t.Fatal(key, err)
	}
	if len(found.Kvs) == 0 {
		return ""
	}
	return string(found.Kvs[0].Value)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("not in 20 s: " + what)
}

// elsewhere starts a datastore in another process, which the test can kill like a power cut.
func elsewhere(t *testing.T, o Options, environment ...string) *exec.Cmd {
	t.Helper()
	o.Log, o.Get = nil, nil
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestElsewhere$")
	cmd.Env = append(append(os.Environ(), environment...),
		"TRIAD_TEST_OPTIONS="+string(text), "TRIAD_TEST_LOOPBACK="+o.loopback)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// TestElsewhere is the other process of elsewhere.
func TestElsewhere(t *testing.T) {
	var o Options
	text := os.Getenv("TRIAD_TEST_OPTIONS")
	if text == "" {
		t.Skip("not called by another test")
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	o.loopback = os.Getenv("TRIAD_TEST_LOOPBACK")
	start(t, o)
	select {}
}
