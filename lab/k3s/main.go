// The lab's double of k3s: k3s's command line, files, unit and HTTP contract over stock parts of Kubernetes. What it does
// not imitate is in lab/README.md.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"triad.invalid/k3s/agent"
	"triad.invalid/k3s/config"
	"triad.invalid/k3s/logs"
	"triad.invalid/k3s/release"
	"triad.invalid/k3s/server"
)

const usage = `k3s (the lab's double) - Kubernetes, but small and simple

Usage: k3s COMMAND [OPTIONS]

Commands: server, agent, kubectl, ctr, etcd-snapshot; --version
`

func main() {
	command, arguments := filepath.Base(os.Args[0]), os.Args[1:]
	if command != "kubectl" && command != "ctr" && command != "crictl" {
		if len(arguments) == 0 {
			fmt.Print(usage)
			return
		}
		command, arguments = arguments[0], arguments[1:]
	}
	switch command {
	case "server", "agent":
		if err := run(command, arguments); err != nil {
			logs.Fatal("%v", err)
		}
	case "kubectl":
		execute("kubectl", append([]string{"kubectl"}, arguments...))
	case "ctr":
		execute("ctr", append([]string{"ctr", "-a", agent.Socket, "-n", "k8s.io"}, arguments...))
	case "etcd-snapshot":
		unpack()
		os.Exit(server.SnapshotCommand(arguments))
	case "crictl":
		logs.Fatal("the lab's double of k3s has no crictl; ctr is there")
	case "--version", "-v":
		fmt.Printf("k3s version %s (triad-lab-double)\ngo version %s\n", release.Version, runtime.Version())
	case "--help", "-h", "help":
		fmt.Print(usage)
	default:
		fmt.Fprintf(os.Stderr, "%sNo help topic for '%s'\n", usage, command)
		os.Exit(3)
	}
}

func run(command string, arguments []string) error {
	c, err := config.Parse(command, arguments)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if os.Getuid() != 0 {
		return fmt.Errorf("%s must be run as root unless --rootless is specified", command)
	}
	if err := release.Unpack(c.String("data-dir")); err != nil {
		return err
	}
	logs.Info("Starting k3s %s (triad-lab-double)", release.Version)
	switch {
	case command == "agent":
		err = runAgent(ctx, c)
	case c.Bool("cluster-reset"):
		err = server.Reset(ctx, c)
	default:
		err = runServer(ctx, c)
	}
	// Whoever is told to end while something is under way has not failed.
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func runServer(ctx context.Context, c *config.Config) error {
	return server.Run(ctx, c, func(ctx context.Context, token string) error {
		logs.Info("k3s is up and running")
		notify("READY=1")
		go func() {
			if err := agent.Run(ctx, c, token, true); err != nil && ctx.Err() == nil {
				logs.Fatal("%v", err)
			}
		}()
		return nil
	})
}

func runAgent(ctx context.Context, c *config.Config) error {
	token, err := c.Secret("token")
	if err != nil {
		return err
	}
	if token == "" {
		return fmt.Errorf("--token is required")
	}
	if c.String("server") == "" {
		return fmt.Errorf("--server is required")
	}
	if err := agent.Run(ctx, c, token, false); err != nil {
		return err
	}
	logs.Info("k3s agent is up and running")
	notify("READY=1")
	<-ctx.Done()
	return nil
}

// notify tells systemd, for units of Type=notify.
func notify(state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	connection, err := net.Dial("unixgram", socket)
	if err == nil {
		_, err = connection.Write([]byte(state))
		connection.Close()
	}
	if err != nil {
		logs.Error("telling systemd: %v", err)
	}
}

// execute becomes one of the programs of the release, or of the machine.
func execute(name string, arguments []string) {
	folder := unpack()
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join("/usr/bin", name)
	}
	if name == "kubectl" && os.Getenv("KUBECONFIG") == "" {
		os.Setenv("KUBECONFIG", "/etc/rancher/k3s/k3s.yaml")
	}
	logs.Fatal("%s: %v", path, syscall.Exec(path, arguments, os.Environ()))
}

const dataDir = "/var/lib/rancher/k3s"

func unpack() string {
	folder := release.BinFolder(dataDir)
	// Who may not write there uses what root has unpacked.
	if err := release.Unpack(dataDir); err != nil {
		if _, missing := os.Stat(folder); missing != nil {
			logs.Fatal("%v", err)
		}
	}
	return folder
}
