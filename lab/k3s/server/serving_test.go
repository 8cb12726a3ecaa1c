package server

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"triad.invalid/k3s/certs"
)

func serving(t *testing.T, s *Server) *tls.Config {
	t.Helper()
	files := s.pair("serving-kube-apiserver")
	certificate, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequestClientCert}
}

// A certificate counts only if the clients' CA has signed it for a client.
func TestProven(t *testing.T) {
	s := fresh(t)
	if err := s.makeCertificates(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"client-admin": true, "client-auth-proxy": false, "serving-kube-apiserver": false} {
		certificate, err := certs.Read(s.pair(name).Cert)
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
		if got := s.proven(request) != nil; got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
