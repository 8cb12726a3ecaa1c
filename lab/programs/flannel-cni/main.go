// Flannel-cni stands in for flannel's CNI plugin, whose module can't be had everywhere: it turns what
// flanneld wrote into /run/flannel/subnet.env into the configuration of another plugin, the bridge if
// nothing else is named, and lets that one do the work.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	subnetFile = "/run/flannel/subnet.env"
	dataFolder = "/var/lib/cni/flannel"
)

type config struct {
	Name       string         `json:"name"`
	CNIVersion string         `json:"cniVersion"`
	Delegate   map[string]any `json:"delegate"`
}

func main() {
	err := run(os.Getenv("CNI_COMMAND"))
	if err == nil {
		return
	}
	var exited *exec.ExitError
	if !errors.As(err, &exited) {
		json.NewEncoder(os.Stdout).Encode(map[string]any{"code": 11, "msg": err.Error()})
	}
	os.Exit(1)
}

func run(command string) error {
	saved := filepath.Join(dataFolder, os.Getenv("CNI_CONTAINERID"))
	switch command {
	case "VERSION":
		versions := []string{"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0"}
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"cniVersion": "1.0.0", "supportedVersions": versions})
	case "ADD":
		delegate, err := delegateFor(os.Stdin)
		if err != nil {
			return err
		}
		text, err := json.Marshal(delegate)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dataFolder, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(saved, text, 0o600); err != nil {
			return err
		}
		return invoke(text)
	case "DEL":
		text, err := os.ReadFile(saved)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := invoke(text); err != nil {
			return err
		}
		return os.Remove(saved)
	case "CHECK":
		return nil
	}
	return fmt.Errorf("unknown CNI_COMMAND %q", command)
}

func delegateFor(stdin io.Reader) (map[string]any, error) {
	var asked config
	if err := json.NewDecoder(stdin).Decode(&asked); err != nil {
		return nil, err
	}
	subnet, err := readSubnet()
	if err != nil {
		return nil, err
	}
	// flanneld writes the gateway's address with the length of the prefix.
	prefix, err := netip.ParsePrefix(subnet["FLANNEL_SUBNET"])
	if err != nil {
		return nil, fmt.Errorf("%s: FLANNEL_SUBNET: %w", subnetFile, err)
	}
	mtu, err := strconv.Atoi(subnet["FLANNEL_MTU"])
	if err != nil {
		return nil, fmt.Errorf("%s: FLANNEL_MTU: %w", subnetFile, err)
	}
	delegate := map[string]any{
		"type":      "bridge",
		"isGateway": true,
		"ipMasq":    subnet["FLANNEL_IPMASQ"] != "true",
		"mtu":       mtu,
	}
	for key, value := range asked.Delegate {
		delegate[key] = value
	}
	delegate["name"] = asked.Name
	delegate["cniVersion"] = asked.CNIVersion
	delegate["ipam"] = map[string]any{
		"type":   "host-local",
		"ranges": [][]map[string]any{{{"subnet": prefix.Masked().String()}}},
		"routes": []map[string]any{{"dst": subnet["FLANNEL_NETWORK"]}},
	}
	return delegate, nil
}

func readSubnet() (map[string]string, error) {
	text, err := os.ReadFile(subnetFile)
	if err != nil {
		return nil, fmt.Errorf("flanneld is not ready: %w", err)
	}
	values := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if key, value, found := strings.Cut(line, "="); found {
			values[key] = value
		}
	}
	return values, nil
}

// The delegate gets this plugin's own environment, and its answer is this plugin's.
func invoke(text []byte) error {
	var named struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &named); err != nil {
		return err
	}
	for _, folder := range filepath.SplitList(os.Getenv("CNI_PATH")) {
		program := filepath.Join(folder, named.Type)
		if _, err := os.Stat(program); err != nil {
			continue
		}
		command := exec.Command(program)
		command.Stdin = bytes.NewReader(text)
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		return command.Run()
	}
	return fmt.Errorf("no plugin %s in %s", named.Type, os.Getenv("CNI_PATH"))
}
