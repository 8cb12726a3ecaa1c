package server

import (
	"context"
	"crypto/tls"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"triad.invalid/k3s/child"
	"triad.invalid/k3s/logs"
)

// startControlPlane returns when the API server is ready.
func (s *Server) startControlPlane(ctx context.Context) error {
	if err := s.run(ctx, "kube-apiserver", s.apiServerArguments()); err != nil {
		return err
	}
	logs.Info("Waiting for API server to become available")
	if err := s.untilReady(ctx); err != nil {
		return err
	}
	if err := s.run(ctx, "kube-controller-manager", s.controllerManagerArguments()); err != nil {
		return err
	}
	return s.run(ctx, "kube-scheduler", s.schedulerArguments())
}

func (s *Server) run(ctx context.Context, name string, arguments map[string]string) error {
	line := Line(arguments, s.config.List(name+"-arg"))
	process, err := child.Need(ctx, child.Program{Name: name, Path: filepath.Join(s.bin, name), Arguments: line})
	if err == nil {
		s.processes = append(s.processes, process)
	}
	return err
}

// Line makes a command line of a program's usual arguments and the owner's, which win.
func Line(usual map[string]string, extra []string) []string {
	all := map[string]string{}
	for name, value := range usual {
		all[name] = value
	}
	for _, argument := range extra {
		name, value, found := strings.Cut(argument, "=")
		if !found {
			value = "true"
		}
		all[strings.TrimLeft(name, "-")] = value
	}
	var line []string
	for name, value := range all {
		line = append(line, "--"+name+"="+value)
	}
	slices.Sort(line)
	return line
}

func (s *Server) apiServerArguments() map[string]string {
	c, tls := s.config, func(name string) string { return s.path("tls", name) }
	advertise := c.String("advertise-address")
	if external := c.List("node-external-ip"); advertise == "" && len(external) > 0 {
		advertise = external[0]
	}
	if advertise == "" {
		advertise = s.nodeIP
	}
	issuer := "https://kubernetes.default.svc." + c.String("cluster-domain")
	arguments := map[string]string{
		"advertise-address": advertise, "bind-address": apiAddress, "secure-port": "6443", "permit-port-sharing": "true",
		"allow-privileged": "true", "anonymous-auth": "false", "authorization-mode": "Node,RBAC",
		"enable-admission-plugins": "NodeRestriction", "profiling": "false", "storage-backend": "etcd3",
		"api-audiences": issuer + ",k3s", "service-account-issuer": issuer,
		"service-account-key-file": tls("service.key"), "service-account-signing-key-file": tls("service.key"),
		"service-cluster-ip-range": strings.Join(c.List("service-cidr"), ","),
		"service-node-port-range":  c.String("service-node-port-range"),
		"cert-dir":                 tls("temporary-certs"), "client-ca-file": tls("client-ca.crt"),
		"tls-cert-file": tls("serving-kube-apiserver.crt"), "tls-private-key-file": tls("serving-kube-apiserver.key"),
		"kubelet-certificate-authority": tls("server-ca.crt"), "kubelet-client-certificate": tls("client-kube-apiserver.crt"),
		"kubelet-client-key": tls("client-kube-apiserver.key"), "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
		"proxy-client-cert-file": tls("client-auth-proxy.crt"), "proxy-client-key-file": tls("client-auth-proxy.key"),
		"requestheader-allowed-names": "system:auth-proxy", "requestheader-client-ca-file": tls("request-header-ca.crt"),
		"requestheader-username-headers": "X-Remote-User", "requestheader-group-headers": "X-Remote-Group",
		"requestheader-extra-headers-prefix": "X-Remote-Extra-",
		"etcd-servers":                       s.backend.Endpoint,
	}
	for name, value := range map[string]string{
		"etcd-cafile": s.backend.CAFile, "etcd-certfile": s.backend.CertFile, "etcd-keyfile": s.backend.KeyFile,
	} {
		if value != "" {
			arguments[name] = value
		}
	}
	if path := s.path("cred", "encryption-config.json"); c.Bool("secrets-encryption") {
		arguments["encryption-provider-config"] = path
	}
	return arguments
}

func (s *Server) controllerManagerArguments() map[string]string {
	c, tls := s.config, func(name string) string { return s.path("tls", name) }
	kubeconfig := s.path("cred", "controller.kubeconfig")
	return map[string]string{
		"kubeconfig": kubeconfig, "authentication-kubeconfig": kubeconfig, "authorization-kubeconfig": kubeconfig,
		"allocate-node-cidrs": "true", "cluster-cidr": strings.Join(c.List("cluster-cidr"), ","),
		"service-cluster-ip-range": strings.Join(c.List("service-cidr"), ","), "bind-address": "127.0.0.1",
		"controllers": "*,tokencleaner", "use-service-account-credentials": "true", "profiling": "false",
		"root-ca-file": tls("server-ca.crt"), "service-account-private-key-file": tls("service.key"),
		"cluster-signing-kube-apiserver-client-cert-file": tls("client-ca.crt"),
		"cluster-signing-kube-apiserver-client-key-file":  tls("client-ca.key"),
		"cluster-signing-kubelet-client-cert-file":        tls("client-ca.crt"),
		"cluster-signing-kubelet-client-key-file":         tls("client-ca.key"),
		"cluster-signing-kubelet-serving-cert-file":       tls("server-ca.crt"),
		"cluster-signing-kubelet-serving-key-file":        tls("server-ca.key"),
		"cluster-signing-legacy-unknown-cert-file":        tls("server-ca.crt"),
		"cluster-signing-legacy-unknown-key-file":         tls("server-ca.key"),
	}
}

func (s *Server) schedulerArguments() map[string]string {
	kubeconfig := s.path("cred", "scheduler.kubeconfig")
	return map[string]string{
		"kubeconfig": kubeconfig, "authentication-kubeconfig": kubeconfig, "authorization-kubeconfig": kubeconfig,
		"bind-address": "127.0.0.1", "profiling": "false",
	}
}

func (s *Server) untilReady(ctx context.Context) error {
	files := s.pair("client-supervisor")
	certificate, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: s.transport(&certificate), Timeout: 5 * time.Second}
	for ctx.Err() == nil {
		response, err := client.Get("https://" + apiAddress + ":6443/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(patience)
	}
	return ctx.Err()
}
