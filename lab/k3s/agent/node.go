package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/child"
	"triad.invalid/k3s/logs"
	"triad.invalid/k3s/server"
)

// cgroupfs and failCgroupV1: what works in a container on computers of either version of control groups.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]q}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
failCgroupV1: false
clusterDNS: [%[2]s]
clusterDomain: %[3]s
containerRuntimeEndpoint: unix://%[4]s
healthzBindAddress: 127.0.0.1
resolvConf: %[5]s
serializeImagePulls: false
tlsCertFile: %[6]q
tlsPrivateKeyFile: %[7]q
imageGCHighThresholdPercent: 100
evictionHard: {imagefs.available: 5%%, nodefs.available: 5%%}
`

// In a container the limit of tracked connections belongs to the computer and can't be written.
const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: %q}
clusterCIDR: %s
conntrack: {maxPerCore: 0, min: 0}
healthzBindAddress: 127.0.0.1
hostnameOverride: %s
mode: iptables
`

const cniConfig = `{
  "name": "cbr0",
  "cniVersion": "1.0.0",
  "plugins": [
    {"type": "flannel", "delegate": {"hairpinMode": true, "forceAddress": true, "isDefaultGateway": true}},
    {"type": "portmap", "capabilities": {"portMappings": true}},
    {"type": "bandwidth", "capabilities": {"bandwidth": true}}
  ]
}
`

// startNode runs kubelet, kube-proxy and flannel.
func (a *Agent) startNode(ctx context.Context) error {
	c := a.config
	resolvConf := c.String("resolv-conf")
	if resolvConf == "" {
		resolvConf = "/etc/resolv.conf"
	}
	files := map[string]string{
		"etc/kubelet.conf.d/00-k3s-defaults.conf": fmt.Sprintf(kubeletConfig, a.path("client-ca.crt"), a.cluster.ClusterDNS,
			a.cluster.ClusterDomain, Socket, resolvConf, a.path("serving-kubelet.crt"), a.path("serving-kubelet.key")),
		"etc/kube-proxy.yaml": fmt.Sprintf(proxyConfig, a.path("kubeproxy.kubeconfig"), a.cluster.ClusterCIDR, a.nodeName),
		"etc/flannel/net-conf.json": fmt.Sprintf(`{"Network": %q, "EnableNFTables": false, "Backend": {"Type": %q}}`,
			a.cluster.ClusterCIDR, a.cluster.FlannelBackend),
		"etc/cni/net.d/10-flannel.conflist": cniConfig,
	}
	withFlannel := a.cluster.FlannelBackend != "none"
	for name, content := range files {
		if !withFlannel && strings.Contains(name, "flannel") {
			continue
		}
		if err := certs.Write(a.path(name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	if !a.cluster.NoKubeProxy {
		line := server.Line(map[string]string{"config": a.path("etc/kube-proxy.yaml")}, c.List("kube-proxy-arg"))
		child.Keep(ctx, child.Program{Name: "kube-proxy", Path: filepath.Join(a.bin, "kube-proxy"), Arguments: line})
	}
	kubelet := map[string]string{
		"config":     a.path("etc/kubelet.conf.d/00-k3s-defaults.conf"),
		"kubeconfig": a.path("kubelet.kubeconfig"), "hostname-override": a.nodeName, "node-ip": a.nodeIP,
		"node-labels": strings.Join(c.List("node-label"), ","), "register-with-taints": strings.Join(c.List("node-taint"), ","),
	}
	line := server.Line(kubelet, c.List("kubelet-arg"))
	if _, err := child.Need(ctx, child.Program{Name: "kubelet", Path: filepath.Join(a.bin, "kubelet"), Arguments: line}); err != nil {
		return err
	}
	go func() {
		a.annotate(ctx)
		if withFlannel {
			a.keepFlannel(ctx)
		}
	}()
	return nil
}

// keepFlannel runs it on the computer itself, as k3s has it, rather than in a pod. It ends when there is no Node yet.
func (a *Agent) keepFlannel(ctx context.Context) {
	child.Keep(ctx, child.Program{
		Name: "flanneld", Path: filepath.Join(a.bin, "flanneld"), Environment: []string{"NODE_NAME=" + a.nodeName},
		Arguments: []string{
			"--kube-subnet-mgr", "--ip-masq", "--kubeconfig-file=" + a.path("k3scontroller.kubeconfig"),
			"--net-config-path=" + a.path("etc/flannel/net-conf.json"), "--iface=" + a.nodeIP, "--healthz-port=0",
		},
	})
}

// annotate tells on the Node object how k3s was started there. Source: pkg/nodeconfig of k3s
func (a *Agent) annotate(ctx context.Context) {
	settings, err := clientcmd.BuildConfigFromFlags("", a.path("kubelet.kubeconfig"))
	if err != nil {
		logs.Fatal("%v", err)
	}
	client, err := kubernetes.NewForConfig(settings)
	if err != nil {
		logs.Fatal("%v", err)
	}
	arguments, _ := json.Marshal(masked(a.config.Arguments))
	environment, _ := json.Marshal(k3sEnvironment())
	patch, _ := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		"k3s.io/node-args": string(arguments), "k3s.io/node-env": string(environment),
		"k3s.io/internal-ip": a.nodeIP, "k3s.io/hostname": a.nodeName,
	}}})
	for ctx.Err() == nil {
		_, err := client.CoreV1().Nodes().Patch(ctx, a.nodeName, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		if err == nil {
			logs.Info("Annotations and labels have been set successfully on node: %s", a.nodeName)
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func secret(name string) bool {
	name = strings.ToLower(strings.TrimLeft(name, "-"))
	return name == "t" || strings.Contains(name, "token") || strings.Contains(name, "datastore") || strings.Contains(name, "vpn-auth")
}

func masked(arguments []string) []string {
	hidden := append([]string{}, arguments...)
	for i := 1; i < len(hidden); i++ {
		if strings.HasPrefix(hidden[i-1], "-") && secret(hidden[i-1]) {
			hidden[i] = "********"
		}
	}
	return hidden
}

func k3sEnvironment() map[string]string {
	found := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "K3S_") {
			continue
		}
		if secret(strings.TrimPrefix(name, "K3S_")) {
			value = "********"
		}
		found[name] = value
	}
	return found
}
