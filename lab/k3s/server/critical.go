package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"triad.invalid/k3s/access"
	"triad.invalid/k3s/logs"
)

// ForAgents is what /v1-k3s/config tells: what agents need, and what all servers must have in common.
type ForAgents struct {
	ClusterCIDR    string
	ClusterDNS     string
	ClusterDomain  string
	FlannelBackend string
	NoKubeProxy    bool
	Critical       map[string]string
}

// Source: https://docs.k3s.io/cli/server, "Critical Configuration Values"
var criticalFlags = strings.Fields(`cluster-cidr cluster-dns cluster-domain disable-cloud-controller disable-helm-controller
	disable-network-policy egress-selector-mode embedded-registry flannel-backend flannel-external-ip flannel-ipv6-masq
	secrets-encryption secrets-encryption-provider service-cidr`)

func (s *Server) forAgents() ForAgents {
	c := s.config
	critical := map[string]string{}
	for _, name := range criticalFlags {
		critical[name] = strings.Join(c.List(name), ",")
		if critical[name] == "" {
			critical[name] = "false"
		}
	}
	critical["disable=servicelb"] = strconv.FormatBool(slices.Contains(c.List("disable"), "servicelb"))
	return ForAgents{
		ClusterCIDR: strings.Join(c.List("cluster-cidr"), ","), ClusterDNS: strings.Join(c.List("cluster-dns"), ","),
		ClusterDomain: c.String("cluster-domain"), FlannelBackend: c.String("flannel-backend"),
		NoKubeProxy: c.Bool("disable-kube-proxy"), Critical: critical,
	}
}

func (s *Server) sendConfig(w http.ResponseWriter, _ *http.Request) {
	data, err := json.Marshal(s.forAgents())
	answer(w, data, err)
}

// compareConfig refuses to join servers that were told something else. Source: https://github.com/k3s-io/k3s/issues/12745
func (s *Server) compareConfig(ctx context.Context, address, given string) error {
	info, err := access.Open(ctx, address, given, "node")
	if err != nil {
		return err
	}
	data, err := info.Get(ctx, "/v1-k3s/config")
	if err != nil {
		return err
	}
	var theirs ForAgents
	if err := json.Unmarshal(data, &theirs); err != nil {
		return err
	}
	ours := s.forAgents().Critical
	mismatched := false
	for _, name := range slices.Sorted(keys(ours)) {
		if ours[name] != theirs.Critical[name] {
			logs.Error("Critical configuration mismatched: %s: %s here, %s on %s", name, ours[name], theirs.Critical[name], address)
			mismatched = true
		}
	}
	if mismatched {
		return errors.New("critical configuration value mismatch between servers")
	}
	return nil
}
