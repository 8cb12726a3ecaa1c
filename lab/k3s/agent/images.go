package agent

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/logs"
)

// importImages loads what lies in agent/images, as an installation without network has it.
// Source: https://docs.k3s.io/installation/airgap
func (a *Agent) importImages(ctx context.Context) error {
	entries, err := os.ReadDir(a.path("images"))
	if err != nil {
		return os.MkdirAll(a.path("images"), 0o755)
	}
	imported := map[string]string{}
	cache := a.path("images", ".cache.json")
	if text, err := os.ReadFile(cache); err == nil {
		_ = json.Unmarshal(text, &imported)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".tar") && !strings.HasSuffix(name, ".tar.gz") && !strings.HasSuffix(name, ".tgz") {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		// The real one does so only if the owner has made that file; a start would else take seconds longer here.
		state := fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		if imported[name] == state {
			continue
		}
		started := time.Now()
		if err := importArchive(ctx, a.path("images", name)); err != nil {
			logs.Error("Error encountered while importing %s: %v", name, err)
			continue
		}
		logs.Info("Imported images from %s in %s", a.path("images", name), time.Since(started))
		imported[name] = state
	}
	text, err := json.Marshal(imported)
	if err != nil {
		return err
	}
	return certs.Write(cache, text, 0o600)
}

// Debian's ctr takes no compressed archives.
func importArchive(ctx context.Context, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	command := exec.CommandContext(ctx, "ctr", "-a", Socket, "-n", "k8s.io", "images", "import", "--all-platforms", "-")
	command.Stdin = file
	if strings.HasSuffix(path, "gz") {
		if command.Stdin, err = gzip.NewReader(file); err != nil {
			return err
		}
	}
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}
