package server

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/logs"
)

func keys[V any](table map[string]V) iter.Seq[string] { return maps.Keys(table) }

// agentCertificates are what an agent may have signed, and by whom.
var agentCertificates = map[string]struct {
	ca   string
	leaf func(node, ip string) certs.Leaf
}{
	"serving-kubelet.crt": {"server-ca", func(node, ip string) certs.Leaf {
		return certs.Leaf{Name: node, Hosts: []string{node, "localhost", "127.0.0.1", ip}}
	}},
	"client-kubelet.crt": {"client-ca", func(node, _ string) certs.Leaf {
		return certs.Leaf{Name: "system:node:" + node, Groups: []string{"system:nodes"}}
	}},
	"client-kube-proxy.crt": {"client-ca", func(string, string) certs.Leaf { return certs.Leaf{Name: "system:kube-proxy"} }},
	"client-k3s-controller.crt": {"client-ca", func(string, string) certs.Leaf {
		return certs.Leaf{Name: "system:k3s-controller"}
	}},
}

func (s *Server) signFor(name string) http.HandlerFunc {
	wanted := agentCertificates[name]
	return func(w http.ResponseWriter, r *http.Request) {
		node, ip := strings.ToLower(r.Header.Get("k3s-Node-Name")), r.Header.Get("k3s-Node-IP")
		if strings.Contains(name, "kubelet") {
			if code, err := s.checkNode(r.Context(), node, r.Header.Get("k3s-Node-Password")); err != nil {
				refuse(w, code, err.Error())
				return
			}
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		request, err := x509.ParseCertificateRequest(body)
		if err != nil || (wanted.ca == "server-ca" && net.ParseIP(ip) == nil) {
			refuse(w, http.StatusBadRequest, "neither a request for a certificate nor an address of a node")
			return
		}
		text, err := certs.Issue(s.pair(wanted.ca), wanted.leaf(node, ip), request.PublicKey)
		answer(w, text, err)
	}
}

// checkNode keeps others from taking a node's name: the first to come leaves the hash of its password in a Secret.
// Source: https://docs.k3s.io/architecture#how-agent-node-registration-works
func (s *Server) checkNode(ctx context.Context, node, password string) (int, error) {
	if node == "" || password == "" {
		return http.StatusBadRequest, fmt.Errorf("node name or node password not set")
	}
	client := s.kube.Load()
	if client == nil {
		return http.StatusServiceUnavailable, fmt.Errorf("runtime core not ready")
	}
	name := node + ".node-password.k3s"
	secrets := client.CoreV1().Secrets("kube-system")
	found, err := secrets.Get(ctx, name, metav1.GetOptions{})
	if errors.IsNotFound(err) {
		salt := make([]byte, 16)
		_, _ = rand.Read(salt)
		immutable := true
		_, err = secrets.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Immutable: &immutable,
			StringData: map[string]string{"hash": hashOf(salt, password)},
		}, metav1.CreateOptions{})
		if err == nil {
			return http.StatusOK, nil
		}
	}
	if err != nil {
		return http.StatusInternalServerError, err
	}
	saltText, _, _ := strings.Cut(string(found.Data["hash"]), ":")
	salt, _ := hex.DecodeString(saltText)
	if subtle.ConstantTimeCompare(found.Data["hash"], []byte(hashOf(salt, password))) != 1 {
		return http.StatusForbidden, fmt.Errorf("unable to verify password for node %s: hash does not match", node)
	}
	return http.StatusOK, nil
}

// The real one uses scrypt; nobody else reads this.
func hashOf(salt []byte, password string) string {
	key, err := pbkdf2.Key(sha256.New, password, salt, 10_000, 32)
	if err != nil {
		logs.Fatal("%v", err)
	}
	return hex.EncodeToString(salt) + ":" + hex.EncodeToString(key)
}

// sendServers tells agents between whom to balance.
func (s *Server) sendServers(w http.ResponseWriter, r *http.Request) {
	client := s.kube.Load()
	if client == nil {
		refuse(w, http.StatusServiceUnavailable, "runtime core not ready")
		return
	}
	servers, err := apiServers(r.Context(), client)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	data, err := json.Marshal(servers)
	answer(w, data, err)
}

func apiServers(ctx context.Context, client *kubernetes.Clientset) ([]string, error) {
	slices, err := client.DiscoveryV1().EndpointSlices("default").List(ctx,
		metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=kubernetes"})
	if err != nil {
		return nil, err
	}
	servers := []string{}
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			for _, port := range slice.Ports {
				servers = append(servers, net.JoinHostPort(endpoint.Addresses[0], fmt.Sprint(*port.Port)))
			}
		}
	}
	return servers, nil
}
