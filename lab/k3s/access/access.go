// Package access talks to the supervisor of a server, as agents and joining servers do.
package access

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"triad.invalid/k3s/logs"
	"triad.invalid/k3s/token"
)

// Server is one whose CA was held against the token.
type Server struct {
	URL      string
	CA       []byte
	user     string
	password string
	client   *http.Client
}

// Open gets the CA of a server and checks that it is the token's.
func Open(ctx context.Context, address, tokenText, user string) (*Server, error) {
	parsed, err := token.Parse(tokenText)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "https" {
		return nil, fmt.Errorf("only https:// URLs are supported, invalid scheme: %s", address)
	}
	server := &Server{URL: strings.TrimRight(base.String(), "/"), user: user, password: parsed.Password}
	insecure := clientWith(&tls.Config{InsecureSkipVerify: true})
	if server.CA, err = server.do(ctx, insecure, http.MethodGet, "/cacerts", nil, nil); err != nil {
		return nil, fmt.Errorf("failed to get CA certs: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.CA)
	server.client = clientWith(&tls.Config{RootCAs: roots})
	if _, err := server.Get(ctx, "/cacerts"); err != nil {
		return nil, fmt.Errorf("CA cert validation failed: %w", err)
	}
	if parsed.CAHash == "" {
		logs.Warn("Cluster CA certificate is not trusted by the host CA bundle, but the token does not include a CA hash. " +
			"Use the full token from the server's node-token file to enable Cluster CA validation.")
	}
	return server, parsed.CheckCA(server.CA)
}

// Get fetches a path with the token.
func (s *Server) Get(ctx context.Context, path string) ([]byte, error) {
	return s.do(ctx, s.client, http.MethodGet, path, nil, nil)
}

// Post sends something with the token, and gets the answer.
func (s *Server) Post(ctx context.Context, path string, headers map[string]string, body []byte) ([]byte, error) {
	return s.do(ctx, s.client, http.MethodPost, path, headers, body)
}

func (s *Server) do(ctx context.Context, client *http.Client, method, path string, headers map[string]string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	if path != "/cacerts" {
		request.SetBasicAuth(s.user, s.password)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = &Refusal{URL: request.URL.String(), Status: response.Status, Code: response.StatusCode, Body: strings.TrimSpace(string(answer))}
	}
	return answer, err
}

// Refusal is an answer other than success.
type Refusal struct {
	URL, Status, Body string
	Code              int
}

func (r *Refusal) Error() string { return r.URL + ": " + r.Status }

func clientWith(config *tls.Config) *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second,
		// No proxy, and a fresh connection each time: servers come and go behind the load balancer.
		Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true},
	}
}
