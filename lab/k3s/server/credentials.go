package server

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"triad.invalid/k3s/certs"
)

// kube-apiserver shares port 6443 with the supervisor, on an address of its own: Kubernetes as it is publishes the port on
// which it listens, while the one in k3s can be told another.
const apiAddress = "127.0.0.2"

func (s *Server) pair(name string) certs.Pair {
	return certs.Pair{Cert: s.path("tls", name+".crt"), Key: s.path("tls", name+".key")}
}

func (s *Server) makeAuthorities() error {
	for _, name := range []string{"server", "client", "request-header"} {
		if err := certs.EnsureCA(s.pair(name+"-ca"), "k3s-"+name+"-ca"); err != nil {
			return err
		}
	}
	return certs.EnsureKey(s.path("tls", "service.key"))
}

// makeCertificates makes what is missing or runs out: leaf certificates live a year, and a start renews those with less
// than 120 days to go. Source: https://docs.k3s.io/cli/certificate
func (s *Server) makeCertificates() error {
	if err := s.makeAuthorities(); err != nil {
		return err
	}
	clients := map[string]certs.Leaf{
		"client-admin":          {Name: "system:admin", Groups: []string{"system:masters"}},
		"client-supervisor":     {Name: "system:k3s-supervisor", Groups: []string{"system:masters"}},
		"client-kube-apiserver": {Name: "system:apiserver", Groups: []string{"system:masters"}},
		"client-controller":     {Name: "system:kube-controller-manager"},
		"client-scheduler":      {Name: "system:kube-scheduler"},
	}
	for name, leaf := range clients {
		if err := certs.Ensure(s.pair("client-ca"), s.pair(name), leaf); err != nil {
			return err
		}
	}
	proxy := certs.Leaf{Name: "system:auth-proxy"}
	if err := certs.Ensure(s.pair("request-header-ca"), s.pair("client-auth-proxy"), proxy); err != nil {
		return err
	}
	hosts, err := s.servingNames()
	if err != nil {
		return err
	}
	serving := certs.Leaf{Name: "kube-apiserver", Hosts: hosts}
	if err := certs.Ensure(s.pair("server-ca"), s.pair("serving-kube-apiserver"), serving); err != nil {
		return err
	}
	return s.makeEncryptionConfig()
}

func (s *Server) servingNames() ([]string, error) {
	service, err := firstAddress(s.config.List("service-cidr")[0])
	if err != nil {
		return nil, err
	}
	hosts := []string{
		"127.0.0.1", "::1", "localhost", s.nodeName, s.nodeIP, service, "kubernetes", "kubernetes.default",
		"kubernetes.default.svc", "kubernetes.default.svc." + s.config.String("cluster-domain"),
	}
	hosts = append(hosts, s.config.List("tls-san")...)
	hosts = append(hosts, s.config.List("node-external-ip")...)
	if address := s.config.String("advertise-address"); address != "" {
		hosts = append(hosts, address)
	}
	return hosts, nil
}

func firstAddress(cidr string) (string, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return "", err
	}
	return prefix.Masked().Addr().Next().String(), nil
}

func (s *Server) makeEncryptionConfig() error {
	path := s.path("cred", "encryption-config.json")
	if _, err := os.Stat(path); err == nil || !s.config.Bool("secrets-encryption") {
		return nil
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return certs.Write(path, fmt.Appendf(nil, `{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1",`+
		`"resources":[{"resources":["secrets"],"providers":[{"aescbc":{"keys":[{"name":"aescbckey","secret":%q}]}},{"identity":{}}]}]}`,
		base64.StdEncoding.EncodeToString(key)), 0o600)
}

// writeKubeconfigs writes those of the control plane, which go straight to kube-apiserver, and the owner's.
func (s *Server) writeKubeconfigs() error {
	direct := "https://" + apiAddress + ":6443"
	for name, certificate := range map[string]string{
		"supervisor": "client-supervisor", "controller": "client-controller", "scheduler": "client-scheduler",
	} {
		if err := s.writeKubeconfig(s.path("cred", name+".kubeconfig"), direct, certificate, 0o600); err != nil {
			return err
		}
	}
	mode, err := strconv.ParseUint(s.config.String("write-kubeconfig-mode"), 8, 32)
	if err != nil {
		return fmt.Errorf("--write-kubeconfig-mode: %w", err)
	}
	if err := os.MkdirAll("/etc/rancher/k3s", 0o755); err != nil {
		return err
	}
	local := "https://127.0.0.1:" + s.config.String("https-listen-port")
	return s.writeKubeconfig(s.config.String("write-kubeconfig"), local, "client-admin", os.FileMode(mode))
}

func (s *Server) writeKubeconfig(path, address, certificate string, mode os.FileMode) error {
	encoded := [3]string{}
	files := s.pair(certificate)
	for i, name := range []string{s.path("tls", "server-ca.crt"), files.Cert, files.Key} {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		encoded[i] = base64.StdEncoding.EncodeToString(content)
	}
	return certs.Write(path, fmt.Appendf(nil, `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: %s
%s  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: %s
    client-key-data: %s
`, encoded[0], address, serverName(address), encoded[1], encoded[2]), mode)
}

// The address that only kube-apiserver and its neighbours know is in no certificate.
func serverName(address string) string {
	if address == "https://"+apiAddress+":6443" {
		return "    tls-server-name: localhost\n"
	}
	return ""
}
