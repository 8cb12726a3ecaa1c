package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func parseWith(t *testing.T, files map[string]string, environment map[string]string, line ...string) (*Config, error) {
	t.Helper()
	return parseAs(t, "server", files, environment, line...)
}

func parseAs(t *testing.T, command string, files map[string]string, environment map[string]string, line ...string) (*Config, error) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return parse(command, line, func(name string) string {
		if name == "K3S_CONFIG_FILE" {
			return filepath.Join(folder, "config.yaml")
		}
		return environment[name]
	})
}

// Source: https://docs.k3s.io/installation/configuration
func TestFilesAreMerged(t *testing.T) {
	c, err := parseWith(t, map[string]string{
		"config.yaml":             "token: boop\nnode-label: [foo=bar, bar=baz]\ntls-san: one.example\ndisable: traefik\n",
		"config.yaml.d/b.yaml":    "token: bop\nnode-label+: [foo=baz]\nfuture-flag: 1\n",
		"config.yaml.d/a.yaml":    "tls-san: [two.example]\ncluster-init: true\netcd-snapshot-retention: 14\n",
		"config.yaml.d/notes.txt": "token: never",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.String("token") != "bop" || !c.Bool("cluster-init") || c.Int("etcd-snapshot-retention") != 14 {
		t.Error(c.values)
	}
	if got := c.List("node-label"); !slices.Equal(got, []string{"foo=bar", "bar=baz", "foo=baz"}) {
		t.Error(got)
	}
	if got := c.List("tls-san"); !slices.Equal(got, []string{"two.example"}) {
		t.Error(got)
	}
	if got := c.List("cluster-cidr"); !slices.Equal(got, []string{"10.42.0.0/16"}) {
		t.Error(got)
	}
}

func TestCommandLineWins(t *testing.T) {
	environment := map[string]string{"K3S_TOKEN": "env", "K3S_URL": "https://env:6443", "K3S_NODE_NAME": "env"}
	files := map[string]string{"config.yaml": "token: file\nnode-name: file\ntls-san: [a, b]\n"}
	c, err := parseWith(t, files, environment, "--tls-san", "c", "-t=line", "--tls-san=d,e")
	if err != nil {
		t.Fatal(err)
	}
	if c.String("token") != "line" || c.String("node-name") != "file" || c.String("server") != "https://env:6443" {
		t.Error(c.values)
	}
	if got := c.List("tls-san"); !slices.Equal(got, []string{"c", "d", "e"}) {
		t.Error(got)
	}
	want := "server --token file --node-name file --tls-san a --tls-san b --tls-san c -t line --tls-san d,e"
	if got := strings.Join(c.Arguments, " "); got != want {
		t.Error(got)
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"--future-flag=1": "flag provided but not defined: -future-flag",
		"surplus":         "flag provided but not defined: -surplus",
		"--token":         "flag needs an argument: -token",
		"--etcd-s3":       "the lab's double of k3s does not imitate --etcd-s3",
	} {
		if _, err := parseWith(t, nil, nil, line); err == nil || err.Error() != want {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// Source: pkg/configfilearg/defaultparser.go of k3s, ValidFlags: only servers' files are sifted.
func TestAgentDiesOfServersKeys(t *testing.T) {
	files := map[string]string{"config.yaml.d/50.yaml": "node-label: [a=b]\ntls-san: [one.example]\n"}
	if _, err := parseAs(t, "agent", files, nil); err == nil || !strings.HasSuffix(err.Error(), "flag provided but not defined: -tls-san") {
		t.Error(err)
	}
}
