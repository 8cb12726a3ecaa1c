package agent

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/child"
	"triad.invalid/k3s/logs"
)

// Socket is where containerd and who needs it meet.
const Socket = "/run/k3s/containerd/containerd.sock"

// startContainerd runs Debian's containerd on k3s's folders. Its shims are no children of ours: with KillMode=process pods
// go on while k3s restarts. Source: install.sh of k3s
func (a *Agent) startContainerd(ctx context.Context) error {
	if err := a.writeMirrors(); err != nil {
		return err
	}
	settings := fmt.Sprintf(`version = 2
root = %q
state = "/run/k3s/containerd"

[grpc]
  address = %q

[plugins."io.containerd.internal.v1.opt"]
  path = %q

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = %t

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = %q

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %q
    conf_dir = %q

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = %q
`, a.path("containerd"), Socket, a.path("containerd", "opt"), a.config.String("pause-image"), mayNotLowerScore(),
		a.config.String("snapshotter"), a.bin, a.path("etc", "cni", "net.d"), a.path("etc", "containerd", "certs.d"))
	if err := os.MkdirAll(a.path("containerd"), 0o711); err != nil {
		return err
	}
	file := a.path("etc", "containerd", "config.toml")
	if err := certs.Write(file, []byte(settings), 0o600); err != nil {
		return err
	}
	program, err := exec.LookPath("containerd")
	if err != nil {
		return fmt.Errorf("the lab's double of k3s runs Debian's containerd: %w", err)
	}
	log, err := os.OpenFile(a.path("containerd", "containerd.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if _, err := child.Need(ctx, child.Program{Name: "containerd", Path: program, Arguments: []string{"-c", file}, Log: log}); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if exec.CommandContext(ctx, "ctr", "-a", Socket, "version").Run() == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	logs.Info("containerd is now running")
	return ctx.Err()
}

// mayNotLowerScore finds out by trying whether this machine may protect processes from running out of memory: in the lab
// it may not. runc fails there unless containerd is told.
func mayNotLowerScore() bool {
	const file = "/proc/self/oom_score_adj"
	before, err := os.ReadFile(file)
	if err != nil {
		return true
	}
	if err := os.WriteFile(file, []byte("-999"), 0o644); err != nil {
		return true
	}
	return os.WriteFile(file, before, 0o644) != nil
}

type registries struct {
	Mirrors map[string]struct {
		Endpoint []string `yaml:"endpoint"`
	} `yaml:"mirrors"`
}

// writeMirrors turns registries.yaml into containerd's files. Of it only mirrors' endpoints are done, neither rewrites nor
// credentials. Source: https://docs.k3s.io/installation/private-registry
func (a *Agent) writeMirrors() error {
	folder := a.path("etc", "containerd", "certs.d")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	text, err := os.ReadFile(a.config.String("private-registry"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	var told registries
	if err := yaml.Unmarshal(text, &told); err != nil {
		return fmt.Errorf("%s: %w", a.config.String("private-registry"), err)
	}
	for registry, mirror := range told.Mirrors {
		name, hosts := registry, ""
		switch registry {
		case "*":
			name = "_default"
		case "docker.io":
			hosts = "server = \"https://registry-1.docker.io/v2\"\n"
		default:
			hosts = fmt.Sprintf("server = \"https://%s/v2\"\n", registry)
		}
		for _, endpoint := range mirror.Endpoint {
			address, err := url.Parse(endpoint)
			if err != nil {
				return err
			}
			if address.Path == "" {
				address.Path = "/v2"
			}
			hosts += fmt.Sprintf("\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n", address)
		}
		if err := certs.Write(filepath.Join(folder, name, "hosts.toml"), []byte(hosts), 0o600); err != nil {
			return err
		}
	}
	return nil
}
