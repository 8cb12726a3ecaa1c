package server

import (
	"errors"
	"os"
	"strings"

	"triad.invalid/k3s/certs"
	"triad.invalid/k3s/token"
)

// readTokens takes the token that was given, else the one of an earlier start, else a new one.
func (s *Server) readTokens() error {
	given, err := s.config.Secret("token")
	if err != nil {
		return err
	}
	if given == "" {
		saved, err := os.ReadFile(s.path("token"))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		given = strings.TrimSpace(string(saved))
	}
	if given != "" {
		parsed, err := token.Parse(given)
		if err != nil {
			return err
		}
		if err := s.checkToken(parsed); err != nil {
			return err
		}
		s.password = parsed.Password
	} else if s.config.String("server") == "" {
		s.password = token.Random()
	}
	agents, err := s.config.Secret("agent-token")
	if err != nil || agents == "" {
		s.agentPassword = s.password
		return err
	}
	parsed, err := token.Parse(agents)
	s.agentPassword = parsed.Password
	return err
}

// The first server ever has no CA for whose hash a full token could stand. Source: https://docs.k3s.io/cli/token
func (s *Server) checkToken(given token.Token) error {
	if given.CAHash == "" || s.config.String("server") != "" {
		return nil
	}
	ca, err := os.ReadFile(s.path("tls", "server-ca.crt"))
	if os.IsNotExist(err) && !s.config.Bool("cluster-reset") {
		return errors.New("failed to normalize server token; must be in format K10<CA-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>")
	}
	if err != nil {
		return nil
	}
	return given.CheckCA(ca)
}

func (s *Server) writeTokens() error {
	if err := certs.Write(s.path("token"), []byte(s.serverToken()+"\n"), 0o600); err != nil {
		return err
	}
	if err := link(s.path("token"), s.path("node-token")); err != nil {
		return err
	}
	if s.agentPassword == s.password {
		return link(s.path("token"), s.path("agent-token"))
	}
	_ = os.Remove(s.path("agent-token"))
	return certs.Write(s.path("agent-token"), []byte(s.agentToken()+"\n"), 0o600)
}

func link(target, path string) error {
	if found, _ := os.Readlink(path); found == target {
		return nil
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(target, path)
}
