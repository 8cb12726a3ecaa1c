package agent

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/config"
)

func fresh(t *testing.T, arguments ...string) *Agent {
	t.Helper()
	t.Setenv("K3S_CONFIG_FILE", filepath.Join(t.TempDir(), "none.yaml"))
	c, err := config.Parse("agent", arguments)
	if err != nil {
		t.Fatal(err)
	}
	return &Agent{config: c, data: t.TempDir()}
}

func TestSecretsAreMasked(t *testing.T) {
	got := masked([]string{"agent", "--token", "a", "-t", "b", "--node-label", "token=c", "--agent-token-file", "d"})
	if want := "agent --token ******** -t ******** --node-label token=c --agent-token-file ********"; strings.Join(got, " ") != want {
		t.Error(got)
	}
	t.Setenv("K3S_TOKEN", "a")
	t.Setenv("K3S_URL", "https://192.0.2.1:6443")
	if got := k3sEnvironment(); got["K3S_TOKEN"] != "********" || got["K3S_URL"] != "https://192.0.2.1:6443" {
		t.Error(got)
	}
}

// Source: https://docs.k3s.io/installation/private-registry
func TestMirrors(t *testing.T) {
	a := fresh(t)
	file := filepath.Join(t.TempDir(), "registries.yaml")
	a.config.Set("private-registry", file)
	text := "mirrors:\n  docker.io:\n    endpoint: [\"http://192.0.2.1:8080\"]\n  \"*\":\n    endpoint: [\"https://r.example/v2/all\"]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.writeMirrors(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"docker.io": `[host."http://192.0.2.1:8080/v2"]`, "_default": `[host."https://r.example/v2/all"]`,
	} {
		found, err := os.ReadFile(a.path("etc", "containerd", "certs.d", name, "hosts.toml"))
		if err != nil || !strings.Contains(string(found), want) {
			t.Errorf("%s: %s, %v", name, found, err)
		}
	}
}

// speaker answers every connection with its name.
func speaker(t *testing.T, name string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte(name))
			_ = connection.Close()
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return listener
}

func ask(a *Agent) string {
	connection, err := net.Dial("tcp", strings.TrimPrefix(a.local, "https://"))
	if err != nil {
		return err.Error()
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(2 * time.Second))
	text := make([]byte, 10)
	n, _ := connection.Read(text)
	return string(text[:n])
}

// --server is only for the first time: later the agent knows all servers. Source: https://docs.k3s.io/architecture
func TestBalancerRemembersServers(t *testing.T) {
	first, second := speaker(t, "first"), speaker(t, "second")
	free, _ := net.Listen("tcp", "127.0.0.1:0")
	port := free.Addr().String()[strings.LastIndex(free.Addr().String(), ":")+1:]
	free.Close()
	url := "https://" + first.Addr().String()
	a := fresh(t, "--server", url, "--lb-server-port", port)
	known := remembered{ServerURL: url, ServerAddresses: []string{first.Addr().String(), second.Addr().String()}}
	text, _ := json.Marshal(known)
	if err := certs.Write(a.path("etc", listFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b, err := a.balance(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(a); got != "first" {
		t.Error(got)
	}
	first.Close()
	if got := ask(a); got != "second" {
		t.Error(got)
	}
	if got := b.candidates("192.0.2.1:6443"); !slices.Equal(got, []string{second.Addr().String(), first.Addr().String(), "192.0.2.1:6443"}) {
		t.Error(got)
	}
}

func TestOtherServerIsAnotherList(t *testing.T) {
	a := fresh(t, "--server", "https://192.0.2.9:6443", "--lb-server-port", "0")
	text, _ := json.Marshal(remembered{ServerURL: "https://192.0.2.1:6443", ServerAddresses: []string{"192.0.2.1:6443"}})
	if err := certs.Write(a.path("etc", listFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b, err := a.balance(ctx)
	if err != nil || !slices.Equal(b.addresses(), []string{"192.0.2.9:6443"}) {
		t.Error(b.addresses(), err)
	}
}
