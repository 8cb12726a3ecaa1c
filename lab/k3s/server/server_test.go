package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/config"
	"triad.invalid/k3s/datastore"
	"triad.invalid/k3s/token"
)

// fresh is a server that has read its tokens but runs nothing.
func fresh(t *testing.T, arguments ...string) *Server {
	t.Helper()
	t.Setenv("K3S_CONFIG_FILE", filepath.Join(t.TempDir(), "none.yaml"))
	c, err := config.Parse("server", append([]string{"--data-dir", t.TempDir(), "--node-ip", "192.0.2.5", "--node-name", "one"}, arguments...))
	if err != nil {
		t.Fatal(err)
	}
	s, err := create(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.readTokens(); err != nil {
		t.Fatal(err)
	}
	if err := s.makeAuthorities(); err != nil {
		t.Fatal(err)
	}
	s.control = s.handler()
	return s
}

func status(s *Server, path, user, password string) int {
	request := httptest.NewRequest(http.MethodGet, path, nil)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	answer := httptest.NewRecorder()
	s.control.ServeHTTP(answer, request)
	return answer.Code
}

// Source: pkg/server/handlers/router.go and pkg/server/auth of k3s.
func TestWhoMayAskWhat(t *testing.T) {
	s := fresh(t, "--token", "servers", "--agent-token", "agents")
	s.store.Store(&datastore.Datastore{Kind: datastore.SQLite})
	for _, each := range []struct {
		path, user, password string
		want                 int
	}{
		{"/ping", "", "", http.StatusOK},
		{"/cacerts", "", "", http.StatusOK},
		{"/v1-k3s/config", "", "", http.StatusUnauthorized},
		{"/v1-k3s/config", "node", "wrong", http.StatusUnauthorized},
		{"/v1-k3s/config", "node", "agents", http.StatusOK},
		{"/v1-k3s/config", "server", "servers", http.StatusOK},
		{"/v1-k3s/readyz", "node", "agents", http.StatusServiceUnavailable},
		{"/v1-k3s/other", "node", "agents", http.StatusNotFound},
		{"/v1-k3s/server-bootstrap", "", "", http.StatusUnauthorized},
		// An agent's token starts no server. Source: https://github.com/harvester/harvester-installer/issues/8
		{"/v1-k3s/server-bootstrap", "server", "agents", http.StatusForbidden},
		{"/db/info", "server", "agents", http.StatusForbidden},
		// A server on SQLite can't be joined.
		{"/v1-k3s/server-bootstrap", "server", "servers", http.StatusBadRequest},
		// Everything else is the API's.
		{"/readyz", "", "", http.StatusServiceUnavailable},
		{"/api/v1/nodes", "server", "servers", http.StatusServiceUnavailable},
	} {
		if got := status(s, each.path, each.user, each.password); got != each.want {
			t.Errorf("%s as %s:%s: %d, not %d", each.path, each.user, each.password, got, each.want)
		}
	}
}

// Source: https://docs.k3s.io/cli/token
func TestTokens(t *testing.T) {
	s := fresh(t)
	if err := s.writeTokens(); err != nil {
		t.Fatal(err)
	}
	ca, _ := os.ReadFile(s.path("tls", "server-ca.crt"))
	for _, name := range []string{"token", "node-token", "agent-token"} {
		saved, _ := os.ReadFile(s.path(name))
		if string(saved) != token.Full(ca, "server", s.password)+"\n" {
			t.Errorf("%s: %s", name, saved)
		}
	}
	again := &Server{config: s.config, data: s.data}
	if err := again.readTokens(); err != nil || again.password != s.password {
		t.Errorf("after a restart: %q, %v", again.password, err)
	}
	for given, want := range map[string]string{
		token.Full([]byte("other"), "server", "x"): "token CA hash does not match the Cluster CA certificate hash",
		"K10abc::server:x":                         "invalid token CA hash length",
	} {
		again.config.Set("token", given)
		if err := again.readTokens(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Error(err)
		}
	}
}

func TestFirstServerTakesOnlyAShortToken(t *testing.T) {
	s := fresh(t)
	s.data = t.TempDir()
	s.config.Set("token", token.Full([]byte("any"), "server", "x"))
	if err := s.readTokens(); err == nil || !strings.HasPrefix(err.Error(), "failed to normalize server token") {
		t.Error(err)
	}
}

// serve runs a server's supervisor where another can reach it.
func serve(t *testing.T, s *Server) string {
	t.Helper()
	if err := s.makeCertificates(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s.control)
	server.TLS = serving(t, s)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// Source: https://docs.k3s.io/cli/server and https://github.com/k3s-io/k3s/issues/12745
func TestJoinIsRefused(t *testing.T) {
	first := fresh(t, "--token", "secret", "--disable", "servicelb", "--disable", "traefik")
	first.store.Store(&datastore.Datastore{Kind: datastore.SQLite})
	url := serve(t, first)
	full := first.serverToken()
	for want, arguments := range map[string][]string{
		"K3S_TOKEN is required to join a cluster":                                              nil,
		"failed to validate server configuration: " + url + "/v1-k3s/config: 401 Unauthorized": {"--token", "wrong"},
		"failed to validate server configuration: token CA hash does not match":                {"--token", token.Full([]byte("x"), "server", "secret")},
		"failed to validate server configuration: critical configuration value mismatch":       {"--token", full},
		url + "/v1-k3s/server-bootstrap: 400 Bad Request":                                      {"--token", full, "--disable", "servicelb"},
	} {
		joiner := fresh(t, append(arguments, "--server", url)...)
		if err := joiner.join(context.Background()); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v", arguments, err)
		}
	}
}

// A member that has been initialised needs nobody at a cold start. Source: pkg/cluster/bootstrap.go of k3s
func TestInitialisedMemberAsksNobody(t *testing.T) {
	s := fresh(t, "--server", "https://192.0.2.1:6443", "--token", "secret")
	if err := os.MkdirAll(s.path("db", "etcd", "member", "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.join(context.Background()); err != nil {
		t.Error(err)
	}
}

// Source: https://github.com/k3s-io/k3s/issues/4910
func TestFilesOfAnotherLife(t *testing.T) {
	cluster := fresh(t)
	data, err := cluster.collect()
	if err != nil {
		t.Fatal(err)
	}
	empty := fresh(t)
	if err := os.RemoveAll(empty.path("tls")); err != nil {
		t.Fatal(err)
	}
	if err := empty.apply(data); err != nil {
		t.Fatal(err)
	}
	if again, _ := empty.collect(); string(again) != string(data) {
		t.Error("files or their times are not the cluster's")
	}
	other := fresh(t)
	tomorrow := time.Now().Add(24 * time.Hour)
	_ = os.Chtimes(other.path("tls", "client-ca.crt"), tomorrow, tomorrow)
	before, _ := os.ReadFile(other.path("tls", "server-ca.crt"))
	if err := other.apply(data); err == nil || !strings.Contains(err.Error(), "newer than datastore and could cause a cluster outage") {
		t.Error(err)
	}
	if after, _ := os.ReadFile(other.path("tls", "server-ca.crt")); string(after) != string(before) {
		t.Error("a refusal must not write")
	}
}

// Source: https://docs.k3s.io/datastore/cluster-loadbalancer
func TestServingCertificate(t *testing.T) {
	s := fresh(t)
	names := func() []string {
		if err := s.makeCertificates(); err != nil {
			t.Fatal(err)
		}
		certificate, err := certs.Read(s.pair("serving-kube-apiserver").Cert)
		if err != nil {
			t.Fatal(err)
		}
		found := slices.Clone(certificate.DNSNames)
		for _, ip := range certificate.IPAddresses {
			found = append(found, ip.String())
		}
		return found
	}
	before := names()
	for _, name := range []string{"one", "192.0.2.5", "127.0.0.1", "10.43.0.1", "kubernetes.default.svc.cluster.local"} {
		if !slices.Contains(before, name) {
			t.Errorf("%s is not among %v", name, before)
		}
	}
	s.config.Set("tls-san", "192.0.2.50,k3s.example")
	if after := names(); !slices.Contains(after, "192.0.2.50") || !slices.Contains(after, "k3s.example") {
		t.Error(after)
	}
}

func TestLine(t *testing.T) {
	got := Line(map[string]string{"a": "1", "b": "2"}, []string{"b=3", "--c=x=y", "d"})
	if want := []string{"--a=1", "--b=3", "--c=x=y", "--d=true"}; !slices.Equal(got, want) {
		t.Error(got)
	}
}

func TestCriticalFlags(t *testing.T) {
	data, _ := json.Marshal(fresh(t, "--secrets-encryption").forAgents())
	if !strings.Contains(string(data), `"secrets-encryption":"true"`) {
		t.Error(string(data))
	}
}
