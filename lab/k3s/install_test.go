package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// install runs install.sh on folders of its own, with a systemctl that only writes down what it was asked.
func install(t *testing.T, environment []string, arguments ...string) (folder, said string, err error) {
	t.Helper()
	folder = t.TempDir()
	fake := "#!/bin/sh\necho \"$@\" >>" + folder + "/systemctl.log\n"
	for name, content := range map[string]string{"k3s": "#!/bin/sh\n", "systemctl": fake} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("sh", append([]string{"install.sh"}, arguments...)...)
	command.Env = append([]string{"PATH=" + folder + ":" + os.Getenv("PATH"), "INSTALL_K3S_BIN_DIR=" + folder,
		"INSTALL_K3S_SYSTEMD_DIR=" + folder, "INSTALL_K3S_SKIP_DOWNLOAD=true"}, environment...)
	output, err := command.CombinedOutput()
	return folder, string(output), err
}

func content(t *testing.T, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Source: https://docs.k3s.io/reference/env-variables and install.sh of k3s
func TestInstallServer(t *testing.T) {
	folder, said, err := install(t, []string{"K3S_TOKEN=secret", "INSTALL_K3S_EXEC=server --disable=traefik", "HOME=/root"}, "--tls-san", "a b")
	if err != nil {
		t.Fatal(said)
	}
	unit := content(t, folder, "k3s.service")
	for _, line := range []string{"Type=notify", "KillMode=process", "Restart=always", "RestartSec=5s", "TimeoutStartSec=0",
		"EnvironmentFile=-" + folder + "/k3s.service.env", "    server \\", "\t'--disable=traefik' \\", "\t'a b' \\"} {
		if !strings.Contains(unit, line+"\n") {
			t.Errorf("%q is not in\n%s", line, unit)
		}
	}
	if got := content(t, folder, "k3s.service.env"); got != "K3S_TOKEN=secret\n" {
		t.Error(got)
	}
	if info, _ := os.Stat(filepath.Join(folder, "k3s.service.env")); info.Mode().Perm() != 0o600 {
		t.Error(info.Mode())
	}
	if got := content(t, folder, "systemctl.log"); !strings.Contains(got, "restart k3s\n") {
		t.Error(got)
	}
	for _, script := range []string{"k3s-killall.sh", "k3s-uninstall.sh"} {
		if output, err := exec.Command("sh", "-n", filepath.Join(folder, script)).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", script, output)
		}
	}
}

// Whoever gives K3S_URL and no command means an agent, whose unit is of another type.
func TestInstallAgent(t *testing.T) {
	folder, said, err := install(t, []string{"K3S_URL=https://192.0.2.1:6443", "K3S_TOKEN=secret", "INSTALL_K3S_SKIP_START=true"})
	if err != nil {
		t.Fatal(said)
	}
	unit := content(t, folder, "k3s-agent.service")
	if !strings.Contains(unit, "Type=exec\n") || !strings.Contains(unit, "    agent \\\n") {
		t.Error(unit)
	}
	if got := content(t, folder, "systemctl.log"); strings.Contains(got, "restart") {
		t.Error(got)
	}
	if got := content(t, folder, "k3s-agent-uninstall.sh"); !strings.Contains(got, "systemctl disable k3s-agent\n") {
		t.Error(got)
	}
}

func TestInstallRefuses(t *testing.T) {
	for variable, want := range map[string]string{
		"K3S_URL=https://192.0.2.1:6443": "K3S_TOKEN or K3S_TOKEN_FILE is not defined",
		"K3S_URL=http://192.0.2.1:6443":  "", // without a token it is that which is said first
		"INSTALL_K3S_SKIP_DOWNLOAD=":     "downloads nothing",
	} {
		if _, said, err := install(t, []string{variable}); err == nil || !strings.Contains(said, want) {
			t.Errorf("%s: %s", variable, said)
		}
	}
}

// A unit of anybody's whose name begins with k3s keeps the uninstallation from going on. Source: install.sh of k3s
func TestUninstallStopsAtAnotherUnit(t *testing.T) {
	folder, said, err := install(t, []string{"INSTALL_K3S_SKIP_START=true"}, "server")
	if err != nil {
		t.Fatal(said)
	}
	// What killall does is not for the computer that runs the tests, and should the script go on, it finds no other rm.
	rm := "#!/bin/sh\nfor path; do case $path in " + folder + "/*) /bin/rm -rf \"$path\" ;; esac; done\n"
	for name, text := range map[string]string{"k3s-killall.sh": "#!/bin/sh\n", "k3s-backup.service": "[Service]\n", "rm": rm} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(folder, "data")
	if err := os.MkdirAll(filepath.Join(data, "storage"), 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join(folder, "k3s-uninstall.sh"))
	command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "K3S_DATA_DIR="+data)
	output, _ := command.CombinedOutput()
	if !strings.Contains(string(output), "Additional k3s services installed, skipping uninstall of k3s") {
		t.Error(string(output))
	}
	if _, err := os.Stat(filepath.Join(data, "storage")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "k3s.service")); err == nil {
		t.Error("the unit itself is gone all the same")
	}
}
