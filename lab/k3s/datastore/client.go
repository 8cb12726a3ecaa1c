package datastore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// connect makes a client of these endpoints; it does not wait for them.
func connect(ctx context.Context, b Backend, endpoints ...string) (*clientv3.Client, error) {
	config, err := b.clientConfig(ctx)
	if err != nil {
		return nil, err
	}
	if len(endpoints) > 0 {
		config.Endpoints = endpoints
	}
	return clientv3.New(config)
}

func (b Backend) clientConfig(ctx context.Context) (clientv3.Config, error) {
	config := clientv3.Config{
		Endpoints: strings.Split(b.Endpoint, ","), Context: ctx, Logger: zap.NewNop(),
		DialTimeout: 2 * time.Second, DialKeepAliveTime: 30 * time.Second, DialKeepAliveTimeout: 10 * time.Second,
	}
	if b.CertFile == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(b.CertFile, b.KeyFile)
	if err != nil {
		return config, err
	}
	ca, err := os.ReadFile(b.CAFile)
	if err != nil {
		return config, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	config.TLS = &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	return config, nil
}
