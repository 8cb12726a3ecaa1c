package datastore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"triad.invalid/k3s/child"
)

// process is a program that dies with this one, as what k3s embeds would.
type process struct {
	name     string
	cmd      *exec.Cmd
	err      error         // how it ended, once done is closed
	done     chan struct{} // closed when it has ended
	stopping atomic.Bool
}

// startProcess starts a program; hear gets each line that it writes, which goes to standard error too.
func startProcess(program string, hear func(line string), args ...string) (*process, error) {
	p := &process{name: filepath.Base(program), cmd: exec.Command(program, args...), done: make(chan struct{})}
	// Its own group: a Ctrl-C at the terminal is for k3s, which then stops its children in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	// Without it etcd itself would tell systemd that k3s is ready.
	p.cmd.Env = child.Environment()
	read, write := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = write, write
	started := make(chan error, 1)
	go func() {
		// Pdeathsig follows the thread that forked, so this one has to live as long as the child.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
		_ = write.Close()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewReader(read)
		for {
			line, err := lines.ReadString('\n')
			if line != "" {
				_, _ = os.Stderr.WriteString(line)
				if hear != nil {
					hear(line)
				}
			}
			if err != nil {
				break
			}
		}
		// After its last words, so that whoever waits for the end knows them.
		close(p.done)
	}()
	return p, nil
}

// stop asks the process to end and kills it after the grace time; it returns when it has ended.
func (p *process) stop(grace time.Duration) {
	p.stopping.Store(true)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// context ends with the process, too.
func (p *process) context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-ctx.Done():
		case <-p.done:
			cancel(fmt.Errorf("%s stopped: %v", p.name, p.err))
		}
	}()
	return ctx, func() { cancel(nil) }
}
