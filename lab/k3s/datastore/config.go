package datastore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// etcdConfig is the text of db/etcd/config: k3s's own settings, and --etcd-arg over them.
//
// HTTP has its own listener, on loopback only: 2379 speaks gRPC and nothing else.
//
// @see k3s pkg/etcd/etcd.go cluster; https://etcd.io/docs/v3.6/op-guide/configuration/
func (o Options) etcdConfig(name string, start etcdStart) ([]byte, error) {
	clients, peers := o.local("https", 2379), o.local("https", 2380)
	advertised := o.local("https", 2379)
	if !start.reset {
		advertised = strings.Replace(o.peerURL(), ":2380", ":2379", 1)
		clients, peers = clients+","+advertised, peers+","+o.peerURL()
	}
	config := map[string]any{
		"name":                           name,
		"data-dir":                       o.etcdDir(),
		"initial-cluster":                start.cluster,
		"initial-cluster-state":          start.state,
		"initial-advertise-peer-urls":    o.peerURL(),
		"force-new-cluster":              start.reset,
		"listen-client-urls":             clients,
		"listen-client-http-urls":        o.local("https", 2382),
		"listen-metrics-urls":            o.local("http", 2381),
		"listen-peer-urls":               peers,
		"advertise-client-urls":          advertised,
		"client-transport-security":      o.etcdTLS("server-client", "server-ca"),
		"peer-transport-security":        o.etcdTLS("peer-server-client", "peer-ca"),
		"heartbeat-interval":             500,
		"election-timeout":               5000,
		"snapshot-count":                 10000,
		"watch-progress-notify-interval": 5 * time.Second,
		"feature-gates":                  "InitialCorruptCheck=true",
		"logger":                         "zap",
		"log-outputs":                    []string{"stderr"},
	}
	for _, argument := range o.EtcdArgs {
		key, value, found := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
		if !found {
			return nil, fmt.Errorf("etcd-arg %q is not key=value", argument)
		}
		config[key] = typed(value)
	}
	return yaml.Marshal(config)
}

// typed gives a flag's text the type that it has in YAML.
func typed(value string) any {
	if number, err := strconv.ParseInt(value, 10, 64); err == nil {
		return number
	}
	if truth, err := strconv.ParseBool(value); err == nil {
		return truth
	}
	return value
}

func (o Options) etcdTLS(pair, ca string) map[string]any {
	return map[string]any{
		"cert-file": o.tls(pair + ".crt"), "key-file": o.tls(pair + ".key"),
		"client-cert-auth": true, "trusted-ca-file": o.tls(ca + ".crt"),
	}
}
