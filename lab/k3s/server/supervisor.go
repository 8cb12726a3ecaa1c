package server

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"triad.invalid/k3s/datastore"
	"triad.invalid/k3s/logs"
)

const (
	roleAgent  = "k3s:agent"
	roleServer = "k3s:server"
	reusePort  = 15 // SO_REUSEPORT, which package syscall does not know on every architecture
)

// listen opens the port that everybody knows.
func (s *Server) listen(ctx context.Context) error {
	if err := s.makeCertificates(); err != nil {
		return err
	}
	files := s.pair("serving-kube-apiserver")
	certificate, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return err
	}
	share := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(socket uintptr) {
			failed = syscall.SetsockoptInt(int(socket), syscall.SOL_SOCKET, reusePort, 1)
		})
		if err != nil {
			return err
		}
		return failed
	}}
	address := net.JoinHostPort(s.config.String("bind-address"), s.config.String("https-listen-port"))
	listener, err := share.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: s.control,
		// A client's certificate of whatever CA is taken: one that proves nothing gets 401, as from any API server.
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(discard{}, "", 0),
	}
	go func() {
		if err := server.ServeTLS(listener, "", ""); ctx.Err() == nil {
			logs.Fatal("supervisor: %v", err)
		}
	}()
	return nil
}

// Handshakes that were broken off say nothing that anybody would read.
type discard struct{}

func (discard) Write(text []byte) (int, error) { return len(text), nil }

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("pong"))
	})
	mux.HandleFunc("GET /cacerts", s.file("tls/server-ca.crt"))
	for path, file := range map[string]string{"server-ca.crt": "tls/server-ca.crt", "client-ca.crt": "tls/client-ca.crt"} {
		mux.Handle("GET /v1-k3s/"+path, s.only(roleAgent, s.file(file)))
	}
	mux.Handle("GET /v1-k3s/config", s.only(roleAgent, s.sendConfig))
	mux.Handle("GET /v1-k3s/readyz", s.only(roleAgent, s.sendReady))
	mux.Handle("GET /v1-k3s/apiservers", s.only(roleAgent, s.sendServers))
	for name := range agentCertificates {
		mux.Handle("POST /v1-k3s/"+name, s.only(roleAgent, s.signFor(name)))
	}
	mux.Handle("GET /v1-k3s/server-bootstrap", s.only(roleServer, s.sendBootstrap))
	mux.Handle("GET /db/info", s.only(roleServer, s.sendMembers))
	mux.Handle("/v1-k3s/", s.only(roleAgent, http.NotFound))
	api := s.apiProxy()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s.kube.Load() == nil {
			refuse(w, http.StatusServiceUnavailable, "apiserver not ready")
			return
		}
		api.ServeHTTP(w, r)
	})
	return mux
}

// only lets those in who show the token of servers, or for what agents need also that of agents.
func (s *Server) only(role string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		roles := s.rolesOf(r)
		switch {
		case len(roles) == 0:
			refuse(w, http.StatusUnauthorized, "not authorized")
		case !slices.Contains(roles, role):
			refuse(w, http.StatusForbidden, "forbidden")
		default:
			next(w, r)
		}
	})
}

// rolesOf looks at the password more than at the name: who joins with the agents' token says that it is a server, and gets
// 403 rather than 401. Source: https://github.com/harvester/harvester-installer/issues/8
func (s *Server) rolesOf(r *http.Request) []string {
	_, password, given := r.BasicAuth()
	same := func(want string) bool {
		return want != "" && subtle.ConstantTimeCompare([]byte(password), []byte(want)) == 1
	}
	switch {
	case given && same(s.password):
		return []string{roleAgent, roleServer}
	case given && same(s.agentPassword):
		return []string{roleAgent}
	}
	return nil
}

func (s *Server) file(path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, s.path(path)) }
}

func (s *Server) sendReady(w http.ResponseWriter, _ *http.Request) {
	if s.kube.Load() == nil {
		refuse(w, http.StatusServiceUnavailable, "runtime core not ready")
		return
	}
	_, _ = w.Write([]byte("ok"))
}

func (s *Server) sendBootstrap(w http.ResponseWriter, r *http.Request) {
	store := s.store.Load()
	if store == nil {
		refuse(w, http.StatusServiceUnavailable, "runtime core not ready")
		return
	}
	if store.Kind != datastore.Etcd {
		logs.Warn("Received HTTP bootstrap request from %s, but embedded etcd is not enabled.", r.RemoteAddr)
		refuse(w, http.StatusBadRequest, "etcd disabled")
		return
	}
	data, err := s.collect()
	answer(w, data, err)
}

func (s *Server) sendMembers(w http.ResponseWriter, r *http.Request) {
	store := s.store.Load()
	if store == nil {
		refuse(w, http.StatusServiceUnavailable, "runtime core not ready")
		return
	}
	data, err := store.DBInfo(r.Context())
	answer(w, data, err)
}

func answer(w http.ResponseWriter, data []byte, err error) {
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data)
}

// refuse answers in the form of Kubernetes.
func refuse(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": message, "reason": strings.ReplaceAll(http.StatusText(code), " ", ""), "code": code,
	})
}
