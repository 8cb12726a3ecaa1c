package agent

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"triad.invalid/k3s/access"
	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/logs"
)

// balancer is the agent's own: whoever on this node wants the API connects to 127.0.0.1:6444, and comes to a server that
// answers. The servers are remembered, so that the one of --server need not be there any more.
// Source: https://docs.k3s.io/architecture#how-agent-node-registration-works
type balancer struct {
	file string
	mu   sync.Mutex
	list remembered
	// Open connections by server, to be cut when it falls silent.
	open map[string]map[net.Conn]bool
	down map[string]bool
	now  string
}

type remembered struct {
	ServerURL       string   `json:"ServerURL"`
	ServerAddresses []string `json:"ServerAddresses"`
}

const (
	dialPatience = time.Second
	healthEvery  = time.Second
	learnEvery   = 5 * time.Second
	listFile     = "k3s-agent-load-balancer.json"
)

func (a *Agent) balance(ctx context.Context) (*balancer, error) {
	address := a.config.String("server")
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	port := parsed.Port()
	if port == "" {
		port = "443"
	}
	first := net.JoinHostPort(parsed.Hostname(), port)
	b := &balancer{file: a.path("etc", listFile), open: map[string]map[net.Conn]bool{}, down: map[string]bool{}}
	saved, err := os.ReadFile(b.file)
	if err == nil {
		err = json.Unmarshal(saved, &b.list)
	}
	// Another --server is another list.
	if err != nil || b.list.ServerURL != address {
		b.list = remembered{ServerURL: address, ServerAddresses: []string{first}}
	}
	local := net.JoinHostPort("127.0.0.1", a.config.String("lb-server-port"))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", local)
	if err != nil {
		return nil, err
	}
	a.local = "https://" + local
	logs.Info("Running load balancer k3s-agent-load-balancer %s -> %v [default: %s]", local, b.list.ServerAddresses, first)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go b.serve(client, first)
		}
	}()
	go b.watchHealth(ctx)
	return b, nil
}

// serve copies between a client and the first server that takes the connection.
func (b *balancer) serve(client net.Conn, fallback string) {
	defer client.Close()
	for _, address := range b.candidates(fallback) {
		upstream, err := net.DialTimeout("tcp", address, dialPatience)
		if err != nil {
			b.mark(address, false)
			continue
		}
		b.mu.Lock()
		b.now = address
		if b.open[address] == nil {
			b.open[address] = map[net.Conn]bool{}
		}
		b.open[address][upstream] = true
		b.mu.Unlock()
		done := make(chan struct{}, 2)
		go func() { _, _ = io.Copy(upstream, client); done <- struct{}{} }()
		go func() { _, _ = io.Copy(client, upstream); done <- struct{}{} }()
		<-done
		upstream.Close()
		b.mu.Lock()
		delete(b.open[address], upstream)
		b.mu.Unlock()
		return
	}
}

// candidates begin with the server in use; those known to be down come last, and then the one of --server.
func (b *balancer) candidates(fallback string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var up, down []string
	for _, address := range b.list.ServerAddresses {
		switch {
		case b.down[address]:
			down = append(down, address)
		case address == b.now:
			up = append([]string{address}, up...)
		default:
			up = append(up, address)
		}
	}
	all := append(up, down...)
	if !slices.Contains(all, fallback) {
		all = append(all, fallback)
	}
	return all
}

func (b *balancer) mark(address string, healthy bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down[address] == !healthy {
		return
	}
	b.down[address] = !healthy
	if healthy {
		return
	}
	logs.Warn("Server %s@FAILED from failed health check", address)
	for connection := range b.open[address] {
		connection.Close()
	}
}

func (b *balancer) watchHealth(ctx context.Context) {
	for ; ctx.Err() == nil; time.Sleep(healthEvery) {
		var round sync.WaitGroup
		for _, address := range b.addresses() {
			round.Go(func() {
				connection, err := net.DialTimeout("tcp", address, dialPatience)
				if err == nil {
					connection.Close()
				}
				b.mark(address, err == nil)
			})
		}
		round.Wait()
	}
}

func (b *balancer) addresses() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list.ServerAddresses)
}

// learn keeps the list as the cluster's servers are. The real one watches them; here it is asked every few seconds.
func (b *balancer) learn(ctx context.Context, upstream *access.Server) {
	for ; ctx.Err() == nil; time.Sleep(learnEvery) {
		data, err := upstream.Get(ctx, "/v1-k3s/apiservers")
		var servers []string
		if err == nil {
			err = json.Unmarshal(data, &servers)
		}
		if err != nil || len(servers) == 0 {
			continue
		}
		slices.Sort(servers)
		if slices.Equal(servers, b.addresses()) {
			if _, err := os.Stat(b.file); err == nil {
				continue
			}
		}
		logs.Info("Updated load balancer k3s-agent-load-balancer server addresses -> %v", servers)
		b.mu.Lock()
		b.list.ServerAddresses = servers
		text, _ := json.MarshalIndent(b.list, "", "  ")
		// A server that has left gets no new requests over connections that are still open.
		for address, connections := range b.open {
			for connection := range connections {
				if !slices.Contains(servers, address) {
					connection.Close()
				}
			}
		}
		b.mu.Unlock()
		if err := certs.Write(b.file, append(text, '\n'), 0o600); err != nil {
			logs.Error("%v", err)
		}
	}
}
