package server

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"

	"triad.invalid/k3s/logs"
)

// apiProxy hands requests to kube-apiserver: those with a client certificate under the name that it proves, the way that
// any authenticating proxy does, all others as they are.
// Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy
func (s *Server) apiProxy() http.Handler {
	target := &url.URL{Scheme: "https", Host: apiAddress + ":6443"}
	return &httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     &twoWays{server: s},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
			r.Out.Host = r.In.Host
			for name := range r.Out.Header {
				if strings.HasPrefix(http.CanonicalHeaderKey(name), "X-Remote-") {
					r.Out.Header.Del(name)
				}
			}
			if certificate := s.proven(r.In); certificate != nil {
				r.Out.Header.Set("X-Remote-User", certificate.Subject.CommonName)
				for _, group := range certificate.Subject.Organization {
					r.Out.Header.Add("X-Remote-Group", group)
				}
			}
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				logs.Error("%s %s: %v", r.Method, r.URL.Path, err)
			}
			refuse(w, http.StatusServiceUnavailable, "apiserver not ready")
		},
	}
}

// proven is the certificate of a client if the clients' CA has signed it.
func (s *Server) proven(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	ca, err := os.ReadFile(s.path("tls", "client-ca.crt"))
	if err != nil {
		return nil
	}
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	options.Roots.AppendCertsFromPEM(ca)
	for _, more := range r.TLS.PeerCertificates[1:] {
		options.Intermediates.AddCert(more)
	}
	if _, err := r.TLS.PeerCertificates[0].Verify(options); err != nil {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// twoWays are the connections to kube-apiserver: one way shows the certificate that lets it believe X-Remote-User.
type twoWays struct {
	server         *Server
	once           sync.Once
	plain, vouched http.RoundTripper
}

func (t *twoWays) RoundTrip(r *http.Request) (*http.Response, error) {
	t.once.Do(func() {
		files := t.server.pair("client-auth-proxy")
		certificate, err := tls.LoadX509KeyPair(files.Cert, files.Key)
		if err != nil {
			logs.Fatal("%v", err)
		}
		t.plain, t.vouched = t.server.transport(nil), t.server.transport(&certificate)
	})
	if r.Header.Get("X-Remote-User") != "" {
		return t.vouched.RoundTrip(r)
	}
	return t.plain.RoundTrip(r)
}

// transport speaks HTTP/1.1, over which connections can be upgraded for exec, attach and port-forward.
func (s *Server) transport(certificate *tls.Certificate) *http.Transport {
	ca, _ := os.ReadFile(s.path("tls", "server-ca.crt"))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	settings := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	if certificate != nil {
		settings.Certificates = []tls.Certificate{*certificate}
	}
	return &http.Transport{TLSClientConfig: settings, MaxIdleConnsPerHost: 100, DisableCompression: true}
}
