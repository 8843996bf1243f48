//go:build unix

package topology

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/badge-engine/badge-engine/test/servers"
)

// patience is how long a part may take to come up.
const patience = 60 * time.Second

// Process is one part, which can be ended and started again with the same arguments.
type Process struct {
	name   string
	args   []string
	env    []string
	dir    string
	output string // the file that it writes to
	as     func(*exec.Cmd)

	cmd   *exec.Cmd // nil while it does not run
	ended chan struct{}
}

// Start runs it.
func (p *Process) Start() error {
	out, err := os.OpenFile(p.output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, p.env, out, out
	p.as(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("topology: %s: %w", p.name, err)
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(p.ended)
	return nil
}

// Signal sends a signal to it and to all its children.
func (p *Process) Signal(s syscall.Signal) error {
	if p.cmd == nil {
		return errors.New("topology: " + p.name + " does not run")
	}
	// PostgreSQL's children lead groups of their own.
	children, _ := exec.Command("pgrep", "-P", strconv.Itoa(p.cmd.Process.Pid)).Output() // none is an error
	err := syscall.Kill(-p.cmd.Process.Pid, s)
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil && (s == syscall.SIGKILL || s == syscall.SIGSTOP || s == syscall.SIGCONT) {
			_ = syscall.Kill(pid, s) // it may have ended meanwhile
		}
	}
	return err
}

// Ended is closed when it has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Kill ends it at once and waits for it.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// Term asks it to end and waits for it.
func (p *Process) Term() { p.end(syscall.SIGTERM) }

func (p *Process) end(s syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.Signal(syscall.SIGCONT) // whoever is paused does not end
	_ = p.Signal(s)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.Signal(syscall.SIGKILL)
		<-p.ended
	}
	p.cmd = nil
}

// until waits for a condition, or for the end of the process.
func (p *Process) until(what string, ready func() bool) error {
	for deadline := time.Now().Add(patience); ; {
		if ready() {
			return nil
		}
		select {
		case <-p.ended:
			deadline = time.Time{}
		case <-time.After(20 * time.Millisecond): // another process: there is no event to wait for
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(p.output)
			return fmt.Errorf("topology: %s is not %s:\n%s", p.name, what, said)
		}
	}
}

func (t *Topology) process(name string, args ...string) *Process {
	return &Process{name: name, args: args, dir: t.dir, output: filepath.Join(t.dir, name+".log"), as: servers.Apart}
}
