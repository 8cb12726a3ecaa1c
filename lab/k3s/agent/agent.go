// Package agent is `k3s agent`, and the part of a server that runs pods.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"triad.invalid/k3s/access"
	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/config"
	"triad.invalid/k3s/logs"
	"triad.invalid/k3s/release"
	"triad.invalid/k3s/server"
	"triad.invalid/k3s/token"
)

const passwordFile = "/etc/rancher/node/password"

// Agent is one that runs.
type Agent struct {
	config   *config.Config
	data     string
	bin      string
	nodeName string
	nodeIP   string
	// Where this node's programs find the API, and the agent its supervisor.
	local    string
	cluster  server.ForAgents
	upstream *access.Server
}

// Run starts what runs pods, and returns when kubelet does. On a server the API is its own; an agent balances between all
// servers that it has learned of.
func Run(ctx context.Context, c *config.Config, tokenText string, onServer bool) error {
	a := &Agent{config: c, data: c.String("data-dir")}
	a.bin = release.BinFolder(a.data)
	var err error
	if a.nodeName, err = c.NodeName(); err != nil {
		return err
	}
	if a.nodeIP, err = c.NodeIP(); err != nil {
		return err
	}
	a.local = "https://127.0.0.1:" + c.String("https-listen-port")
	var balancer *balancer
	if !onServer {
		if balancer, err = a.balance(ctx); err != nil {
			return err
		}
	}
	if err := a.register(ctx, tokenText); err != nil {
		return err
	}
	if balancer != nil {
		go balancer.learn(ctx, a.upstream)
	}
	if err := a.startContainerd(ctx); err != nil {
		return err
	}
	if err := a.importImages(ctx); err != nil {
		return err
	}
	return a.startNode(ctx)
}

func (a *Agent) path(parts ...string) string {
	return filepath.Join(append([]string{a.data, "agent"}, parts...)...)
}

// register tries until a server gives this node its certificates; systemd waits without a limit.
func (a *Agent) register(ctx context.Context, tokenText string) error {
	for {
		err := a.tryRegister(ctx, tokenText)
		if err == nil {
			return nil
		}
		var refused *access.Refusal
		switch {
		case errors.As(err, &refused) && refused.Code == http.StatusForbidden && strings.Contains(refused.URL, "kubelet"):
			logs.Error("Node password rejected, duplicate hostname or contents of '%s' may not match server node-passwd entry, "+
				"try enabling a unique node name with the --with-node-id flag", passwordFile)
		case refused != nil:
			logs.Info("Waiting to retrieve agent configuration; server is not ready: %v", err)
		default:
			logs.Error("failed to validate connection to cluster at %s: %v", a.local, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

func (a *Agent) tryRegister(ctx context.Context, tokenText string) error {
	info, err := access.Open(ctx, a.local, tokenText, "node")
	if err != nil {
		return err
	}
	a.upstream = info
	data, err := info.Get(ctx, "/v1-k3s/config")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &a.cluster); err != nil {
		return err
	}
	for _, name := range []string{"server-ca.crt", "client-ca.crt"} {
		content, err := info.Get(ctx, "/v1-k3s/"+name)
		if err != nil {
			return err
		}
		if err := certs.Write(a.path(name), content, 0o644); err != nil {
			return err
		}
	}
	password, err := nodePassword()
	if err != nil {
		return err
	}
	headers := map[string]string{"k3s-Node-Name": a.nodeName, "k3s-Node-Password": password, "k3s-Node-IP": a.nodeIP}
	for _, name := range []string{"serving-kubelet", "client-kubelet", "client-kube-proxy", "client-k3s-controller"} {
		request, err := certs.NewRequest(a.path(name + ".key"))
		if err != nil {
			return err
		}
		text, err := info.Post(ctx, "/v1-k3s/"+name+".crt", headers, request)
		if err != nil {
			return err
		}
		if err := certs.Write(a.path(name+".crt"), text, 0o644); err != nil {
			return err
		}
	}
	return a.writeKubeconfigs()
}

// nodePassword stays with the machine: an uninstallation leaves it. Source: https://docs.k3s.io/architecture
func nodePassword() (string, error) {
	if saved, err := os.ReadFile(passwordFile); err == nil {
		return strings.TrimSpace(string(saved)), nil
	}
	password := token.Random()
	return password, certs.Write(passwordFile, []byte(password+"\n"), 0o600)
}

func (a *Agent) writeKubeconfigs() error {
	for name, certificate := range map[string]string{
		"kubelet": "client-kubelet", "kubeproxy": "client-kube-proxy", "k3scontroller": "client-k3s-controller",
	} {
		text := fmt.Sprintf(`apiVersion: v1
clusters:
- cluster:
    server: %s
    certificate-authority: %s
  name: local
contexts:
- context:
    cluster: local
    namespace: default
    user: user
  name: Default
current-context: Default
kind: Config
preferences: {}
users:
- name: user
  user:
    client-certificate: %s
    client-key: %s
`, a.local, a.path("server-ca.crt"), a.path(certificate+".crt"), a.path(certificate+".key"))
		if err := certs.Write(a.path(name+".kubeconfig"), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}
