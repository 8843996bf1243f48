package vault

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
)

// maxLine bounds what a program may answer in one line.
const maxLine = 1 << 20

// ErrNone says that no program is configured.
var ErrNone = errors.New("vault: no program keeps keys elsewhere: KEY_VAULT_COMMAND is empty")

// request is one line to the program.
type request struct {
	ID      uint64 `json:"id"`
	Do      string `json:"do"`
	Kind    string `json:"kind,omitempty"`
	Label   string `json:"label,omitempty"`
	Handle  string `json:"handle,omitempty"`
	Message []byte `json:"message,omitempty"`
}

// answer is one line from the program.
type answer struct {
	ID        uint64 `json:"id"`
	Name      string `json:"name"`
	Handle    string `json:"handle"`
	Public    []byte `json:"public"`
	Signature []byte `json:"signature"`
	Error     string `json:"error"`
}

// Vault speaks to the program. It is safe for concurrent use.
type Vault struct {
	words []string
	log   *slog.Logger

	mu      sync.Mutex
	running *program // nil before it is needed, and after it ended
	closed  bool
}

// New makes a vault; nothing is started yet.
func New(cfg Config, log *slog.Logger) *Vault {
	return &Vault{words: strings.Fields(cfg.Command), log: log}
}

// Configured tells whether there is a program at all.
func (v *Vault) Configured() bool { return len(v.words) > 0 }

// Name is what the program calls itself, by which keys remember where they are.
func (v *Vault) Name(ctx context.Context) (string, error) {
	a, err := v.ask(ctx, request{Do: "hello"})
	if err == nil && a.Name == "" {
		err = errors.New("vault: the program does not say its name")
	}
	return a.Name, err
}

// Generate makes a key of a kind. The public key is SPKI in DER: RFC 5280, 4.1.2.7.
func (v *Vault) Generate(ctx context.Context, kind, label string) (public []byte, handle string, err error) {
	a, err := v.ask(ctx, request{Do: "generate", Kind: kind, Label: label})
	if err == nil && (a.Handle == "" || len(a.Public) == 0) {
		err = errors.New("vault: the program made no key")
	}
	return a.Public, a.Handle, err
}

// Sign signs a message with a key.
func (v *Vault) Sign(ctx context.Context, kind, handle string, message []byte) ([]byte, error) {
	a, err := v.ask(ctx, request{Do: "sign", Kind: kind, Handle: handle, Message: message})
	if err == nil && len(a.Signature) == 0 {
		err = errors.New("vault: the program made no signature")
	}
	return a.Signature, err
}

// Close ends the program and waits for it.
func (v *Vault) Close() {
	v.mu.Lock()
	p := v.running
	v.running, v.closed = nil, true
	v.mu.Unlock()
	if p != nil {
		p.end()
	}
}

// ask sends a request and waits for its answer, or until ctx ends.
func (v *Vault) ask(ctx context.Context, r request) (answer, error) {
	p, err := v.start()
	if err != nil {
		return answer{}, err
	}
	back, sent := make(chan answer, 1), make(chan error, 1)
	go func() { sent <- p.send(r, back) }() // ends with the program, should that not listen
	select {
	case err := <-sent:
		if err != nil {
			v.ended(p)
			return answer{}, fmt.Errorf("vault: the program takes no requests: %w", err)
		}
	case <-ctx.Done():
		v.ended(p)
		return answer{}, ctx.Err()
	}
	select {
	case a := <-back:
		if a.Error != "" {
			return answer{}, fmt.Errorf("vault: %s", a.Error)
		}
		return a, nil
	case <-p.done:
		select { // it may have answered last of all
		case a := <-back:
			if a.Error == "" {
				return a, nil
			}
		default:
		}
		v.ended(p)
		return answer{}, errors.New("vault: the program ended before it answered")
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

func (v *Vault) start() (*program, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case len(v.words) == 0:
		return nil, ErrNone
	case v.closed:
		return nil, errors.New("vault: it is closed")
	case v.running != nil:
		return v.running, nil
	}
	p, err := run(v.words, v.log)
	if err != nil {
		return nil, fmt.Errorf("vault: start the program: %w", err)
	}
	v.running = p
	v.log.Info("key vault started", "program", v.words[0])
	return p, nil
}

// ended forgets a program that ended, so that the next request starts another.
func (v *Vault) ended(p *program) {
	v.mu.Lock()
	if v.running == p {
		v.running = nil
		v.log.Error("key vault ended", "program", v.words[0])
	}
	v.mu.Unlock()
	p.end()
}

// program is one run of the program.
type program struct {
	in   io.WriteCloser
	cmd  *exec.Cmd
	done chan struct{} // closed when nothing more will be answered
	once sync.Once

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan<- answer
}

func run(words []string, log *slog.Logger) (*program, error) {
	p := &program{cmd: exec.Command(words[0], words[1:]...), done: make(chan struct{}), waiting: map[uint64]chan<- answer{}}
	p.cmd.Stderr = &said{log: log}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(out)
	return p, nil
}

func (p *program) send(r request, back chan<- answer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	r.ID = p.last
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	p.waiting[r.ID] = back
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		delete(p.waiting, r.ID)
		return err
	}
	return nil
}

// read gives each answer to who waits for it, until the program ends or says what
// cannot be read.
func (p *program) read(out io.Reader) {
	defer close(p.done)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var a answer
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			return
		}
		p.mu.Lock()
		back := p.waiting[a.ID]
		delete(p.waiting, a.ID)
		p.mu.Unlock()
		if back != nil {
			back <- a // never blocks: one answer for each request
		}
	}
}

// end closes the streams of the program, which ends it, and kills it should it not.
func (p *program) end() {
	p.once.Do(func() {
		_ = p.in.Close()
		_ = p.cmd.Process.Kill()
		<-p.done
		_ = p.cmd.Wait()
	})
}

// said puts what the program complains of into the log.
type said struct{ log *slog.Logger }

// Write implements [io.Writer].
func (s *said) Write(text []byte) (int, error) {
	s.log.Warn("key vault says", "text", strings.TrimSpace(string(text)))
	return len(text), nil
}
