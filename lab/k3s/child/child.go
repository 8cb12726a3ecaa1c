// Package child runs the programs that are inside the real k3s as processes that cannot outlive ours.
package child

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"triad.invalid/k3s/logs"
)

// Program is what is to be run.
type Program struct {
	Name, Path  string
	Arguments   []string
	Environment []string
	// Log gets what it says; default our standard error.
	Log *os.File
}

// Process is a running program.
type Process struct {
	Name string
	// Done yields once when the program has ended.
	Done chan error
	pid  int
}

// Environment is ours without what is meant for k3s alone: a child that found NOTIFY_SOCKET would tell systemd that it is ready.
func Environment(more ...string) []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "NOTIFY_SOCKET=") && !strings.HasPrefix(entry, "K3S_") {
			kept = append(kept, entry)
		}
	}
	return append(kept, more...)
}

// Start runs a program until it ends or we do. The kernel sends the signal of Pdeathsig when the thread that started the
// child ends, so that thread is kept for as long as the child runs.
func Start(program Program) (*Process, error) {
	if program.Log == nil {
		program.Log = os.Stderr
	}
	process := &Process{Name: program.Name, Done: make(chan error, 1)}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		command := exec.Command(program.Path, program.Arguments...)
		command.Args[0] = program.Name
		command.Env = Environment(program.Environment...)
		command.Stdout, command.Stderr = program.Log, program.Log
		command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		err := command.Start()
		if err == nil {
			process.pid = command.Process.Pid
		}
		started <- err
		if err == nil {
			process.Done <- command.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", program.Name, err)
	}
	logs.Info("Running %s %s", program.Name, strings.Join(program.Arguments, " "))
	return process, nil
}

// Kill ends it at once, as the end of the real k3s ends the parts inside it.
func (p *Process) Kill() { _ = syscall.Kill(p.pid, syscall.SIGKILL) }

// Need starts a program without which k3s cannot go on, and ends k3s when it ends.
func Need(ctx context.Context, program Program) (*Process, error) {
	process, err := Start(program)
	if err != nil {
		return nil, err
	}
	go func() {
		if err := <-process.Done; ctx.Err() == nil {
			logs.Fatal("%s exited: %v", program.Name, err)
		}
	}()
	return process, nil
}

// Keep starts a program again whenever it ends.
func Keep(ctx context.Context, program Program) {
	go func() {
		for ctx.Err() == nil {
			process, err := Start(program)
			if err == nil {
				err = <-process.Done
			}
			if ctx.Err() == nil {
				logs.Error("%s exited: %v", program.Name, err)
				time.Sleep(time.Second)
			}
		}
	}()
}
