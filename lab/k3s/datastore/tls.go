package datastore

import "triad.invalid/k3s/certs"

// EnsureTLS makes what is missing below server/tls/etcd: the CAs for servers and peers (a joiner has
// them already, from the bootstrap data), and this node's own certificates, anew if they are of
// another CA or for other addresses.
func EnsureTLS(o Options) error {
	o = o.withDefaults()
	hosts := []string{"localhost", "127.0.0.1", "::1", o.NodeName, o.NodeIP, o.loopback}
	for _, leaf := range []struct {
		ca, file string
		certs.Leaf
	}{
		{"server-ca", "client", certs.Leaf{Name: "etcd-client"}},
		// etcd's HTTP listener is a client of its own gRPC server, with the server's certificate.
		{"server-ca", "server-client", certs.Leaf{Name: "etcd-server", Hosts: hosts, Both: true}},
		{"peer-ca", "peer-server-client", certs.Leaf{Name: "etcd-peer", Hosts: hosts, Both: true}},
	} {
		ca := o.pair(leaf.ca)
		if err := certs.EnsureCA(ca, "etcd-"+leaf.ca); err != nil {
			return err
		}
		if err := certs.Ensure(ca, o.pair(leaf.file), leaf.Leaf); err != nil {
			return err
		}
	}
	return nil
}

func (o Options) pair(name string) certs.Pair {
	return certs.Pair{Cert: o.tls(name + ".crt"), Key: o.tls(name + ".key")}
}
