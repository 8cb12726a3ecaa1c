package server

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	corev1 "k8s.io/api/core/v1"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/child"
	"triad.invalid/k3s/logs"
)

const roleLabel = "node-role.kubernetes.io/control-plane"

// labelNode says on the Node object that this is a server. A kubelet may not say so of itself.
func (s *Server) labelNode(ctx context.Context, client *kubernetes.Clientset) {
	patch, _ := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{roleLabel: "true"}}})
	for ; ctx.Err() == nil; time.Sleep(2 * time.Second) {
		node, err := client.CoreV1().Nodes().Get(ctx, s.nodeName, metav1.GetOptions{})
		if err != nil || node.Labels[roleLabel] == "true" {
			continue
		}
		if _, err := client.CoreV1().Nodes().Patch(ctx, s.nodeName, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			logs.Error("Unable to set control-plane role label: %v", err)
			continue
		}
		logs.Info("Labels and annotations have been set successfully on node: %s", s.nodeName)
	}
}

// forgetNodes removes the password of a node that is deleted, so that its name is free.
func (s *Server) forgetNodes(ctx context.Context, client *kubernetes.Clientset) {
	for ; ctx.Err() == nil; time.Sleep(time.Second) {
		nodes, err := client.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{})
		if err != nil {
			continue
		}
		for event := range nodes.ResultChan() {
			node, isNode := event.Object.(*corev1.Node)
			if event.Type != watch.Deleted || !isNode {
				continue
			}
			name := node.Name + ".node-password.k3s"
			err := client.CoreV1().Secrets("kube-system").Delete(ctx, name, metav1.DeleteOptions{})
			if err != nil && !errors.IsNotFound(err) {
				logs.Error("Unable to remove Secret %s: %v", name, err)
			}
		}
	}
}

//go:embed manifests
var manifests embed.FS

// deploy applies what comes with k3s, and goes on to apply whatever lies in server/manifests when it changes.
// Source: https://docs.k3s.io/installation/packaged-components
func (s *Server) deploy(ctx context.Context) {
	if err := s.writeManifests(ctx); err != nil {
		logs.Fatal("%v", err)
	}
	applied := map[string]time.Time{}
	for ctx.Err() == nil {
		pause := 15 * time.Second
		if !s.applyChanged(ctx, applied) {
			pause = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (s *Server) writeManifests(ctx context.Context) error {
	entries, err := manifests.ReadDir("manifests")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		text, err := manifests.ReadFile("manifests/" + entry.Name())
		if err != nil {
			return err
		}
		path := s.path("manifests", entry.Name())
		if slices.Contains(s.config.List("disable"), strings.TrimSuffix(entry.Name(), ".yaml")) {
			s.undeploy(ctx, path)
			continue
		}
		filled := strings.NewReplacer("%{CLUSTER_DNS}%", s.config.List("cluster-dns")[0],
			"%{CLUSTER_DOMAIN}%", s.config.String("cluster-domain")).Replace(string(text))
		if err := certs.Write(path, []byte(filled), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// applyChanged tells whether all could be applied: at a first start kube-system itself may still be missing.
func (s *Server) applyChanged(ctx context.Context, applied map[string]time.Time) bool {
	files, _ := filepath.Glob(s.path("manifests", "*.yaml"))
	all := true
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || applied[file].Equal(info.ModTime()) {
			continue
		}
		if _, err := os.Stat(file + ".skip"); err == nil {
			continue
		}
		if err := s.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "--field-manager=deploy@"+s.nodeName, "-f", file); err != nil {
			logs.Error("Failed to process config: failed to process %s: %v", file, err)
			all = false
			continue
		}
		applied[file] = info.ModTime()
	}
	return all
}

func (s *Server) undeploy(ctx context.Context, path string) {
	if _, err := os.Stat(path); err != nil {
		return
	}
	if err := s.kubectl(ctx, "delete", "--ignore-not-found", "-f", path); err != nil {
		logs.Error("Failed to process config: failed to remove %s: %v", path, err)
		return
	}
	_ = os.Remove(path)
}

func (s *Server) kubectl(ctx context.Context, arguments ...string) error {
	// A service has no HOME, and kubectl would keep its cache at the root.
	line := append([]string{"--kubeconfig=" + s.path("cred", "supervisor.kubeconfig"), "--cache-dir=" + s.path("cache")}, arguments...)
	command := exec.CommandContext(ctx, filepath.Join(s.bin, "kubectl"), line...)
	command.Env = child.Environment()
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}
