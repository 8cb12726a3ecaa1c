package datastore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"triad.invalid/k3s/certs"
)

// kubeAPI runs a kube-apiserver over a datastore; it returns a kubeconfig and the Nodes.
func kubeAPI(t *testing.T, d *Datastore) (string, corev1client.NodeInterface) {
	t.Helper()
	folder, address := t.TempDir(), d.options.loopback
	key, tokens, kubeconfig := filepath.Join(folder, "sa.key"), filepath.Join(folder, "tokens"), filepath.Join(folder, "kubeconfig")
	config := fmt.Sprintf("clusters: [{name: c, cluster: {server: 'https://%s:6443', insecure-skip-tls-verify: true}}]\n"+
		"users: [{name: u, user: {token: secret}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n", address)
	for path, text := range map[string]string{tokens: "secret,admin,admin,system:masters\n", kubeconfig: config} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := certs.EnsureKey(key); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "kube-apiserver")
	link(t, program, "go/*/bin/kube-apiserver", "releases/*/kube-apiserver", "go/kubernetes-all-in-one-*/bin/kubernetes")
	api, err := startProcess(program, nil,
		"--etcd-servers", d.backend.Endpoint, "--etcd-cafile", d.backend.CAFile,
		"--etcd-certfile", d.backend.CertFile, "--etcd-keyfile", d.backend.KeyFile,
		"--bind-address", address, "--advertise-address", d.options.NodeIP, "--cert-dir", folder,
		"--service-cluster-ip-range", "10.43.0.0/24", "--token-auth-file", tokens,
		"--service-account-issuer", "https://lab.invalid", "--service-account-key-file", key,
		"--service-account-signing-key-file", key, "--authorization-mode", "AlwaysAllow")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.stop(0) })
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := corev1client.NewForConfig(rest)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "an API server", func() bool {
		_, err := client.Nodes().List(t.Context(), metav1.ListOptions{})
		return err == nil
	})
	return kubeconfig, client.Nodes()
}

// k3s pkg/etcd/metadata_controller.go, member_controller.go, etcd.go setEtcdStatusCondition; issues
// #9817, #13498: what Nodes show of members, and the two ways to remove one through its Node.
func TestNodesAndMembers(t *testing.T) {
	t.Parallel()
	first, _ := server(t, 1)
	first.ClusterInit = true
	d1 := start(t, first)
	kubeconfig, nodes := kubeAPI(t, d1)
	second, _ := server(t, 2)
	d2 := start(t, joining(second, d1))
	for _, d := range []*Datastore{d1, d2} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: d.options.NodeName}}
		if _, err := nodes.Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := d.RunControllers(t.Context(), kubeconfig); err != nil {
			t.Fatal(err)
		}
	}
	is := func(d *Datastore, holds func(node *corev1.Node) bool) func() bool {
		return func() bool {
			node, err := nodes.Get(t.Context(), d.options.NodeName, metav1.GetOptions{})
			return err == nil && holds(node)
		}
	}
	shown := func(d *Datastore, status corev1.ConditionStatus) func() bool {
		return is(d, func(node *corev1.Node) bool {
			return node.Labels[etcdLabel] == "true" && node.Annotations[nameAnnotation] == d.name &&
				node.Annotations[addressAnnotation] == d.options.NodeIP && len(node.Finalizers) == 2 &&
				slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
					return c.Type == voterCondition && c.Status == status
				})
		})
	}
	eventually(t, "node-1 shown as a voter", shown(d1, corev1.ConditionTrue))
	eventually(t, "node-2 shown as a voter", shown(d2, corev1.ConditionTrue))

	old := d2.name
	patch := []byte(`{"metadata":{"annotations":{"etcd.k3s.cattle.io/remove":"true"}}}`)
	eventually(t, "the annotation", func() bool {
		_, err := nodes.Patch(t.Context(), "node-2", types.MergePatchType, patch, metav1.PatchOptions{})
		return err == nil
	})
	eventually(t, "removal by annotation", is(d2, func(node *corev1.Node) bool {
		return node.Annotations["etcd.k3s.cattle.io/removed-node-name"] == old && node.Annotations[nameAnnotation] == ""
	}))
	if len(members(t, d1)) != 1 {
		t.Error(members(t, d1))
	}
	gone := func() {
		t.Helper()
		select {
		case <-d2.Exited():
		case <-time.After(20 * time.Second):
			t.Fatal("the removed server goes on")
		}
		d2.Stop()
	}
	gone()

	d2 = restart(t, joining(second, d1))
	if err := d2.RunControllers(t.Context(), kubeconfig); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the annotation taken back after a rejoin", is(d2, func(node *corev1.Node) bool {
		_, removed := node.Annotations[removedAnnotation]
		return d2.name != old && !removed && node.Annotations[removeAnnotation] == "false"
	}))
	eventually(t, "node-2 shown as a voter again", shown(d2, corev1.ConditionTrue))

	if err := nodes.Delete(t.Context(), "node-2", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "removal with the Node", func() bool {
		_, err := nodes.Get(t.Context(), "node-2", metav1.GetOptions{})
		return apierrors.IsNotFound(err) && len(members(t, d1)) == 1
	})
	gone()
}
