package e2e

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// chromium is a real browser without a window, driven by the DevTools protocol.
type chromium struct {
	t     testing.TB
	conn  net.Conn
	in    *bufio.Reader
	last  int // number of the last call
	loads int // pages that have finished loading
}

// newChromium starts the browser with an empty profile, or skips the test where
// there is none.
func newChromium(t testing.TB) *chromium {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("there is no chromium here: install the package chromium for the tests in a real browser")
	}
	// The browser's own processes may write a moment longer than it lives.
	profile, err := os.MkdirTemp("", "badge-engine-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	cmd := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+profile, "--remote-debugging-port=0", "about:blank")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // all of them
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stderr)
	var address string
	for lines.Scan() && address == "" {
		_, address, _ = strings.Cut(lines.Text(), "DevTools listening on ")
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }() // ends with the browser
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		t.Skipf("chromium does not start here: %q", address)
	}
	var tabs []struct {
		Type                 string
		WebSocketDebuggerURL string `json:"webSocketDebuggerUrl"`
	}
	response, err := http.Get("http://" + u.Host + "/json/list")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&tabs); err != nil {
		t.Fatal(err)
	}
	for _, tab := range tabs {
		if tab.Type == "page" {
			c := dialChromium(t, tab.WebSocketDebuggerURL)
			c.call("Page.enable", nil)
			return c
		}
	}
	t.Fatalf("chromium has no page: %+v", tabs)
	return nil
}

// dialChromium opens a WebSocket (RFC 6455, 4, Opening Handshake).
func dialChromium(t testing.TB, address string) *chromium {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", u.Path, u.Host)
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no WebSocket: %v %v", response, err)
	}
	return &chromium{t: t, conn: conn, in: in}
}

// write sends one text frame (RFC 6455, 5.2, Base Framing Protocol), masked with
// zeros, which a client may choose.
func (c *chromium) write(data []byte) error {
	head := []byte{0x81, 0x80 | 127}
	head = binary.BigEndian.AppendUint64(head, uint64(len(data)))
	_, err := c.conn.Write(append(append(head, 0, 0, 0, 0), data...))
	return err
}

// read takes one message together out of its frames.
func (c *chromium) read() ([]byte, error) {
	var message []byte
	for {
		var head [2]byte
		if _, err := io.ReadFull(c.in, head[:]); err != nil {
			return nil, err
		}
		size := uint64(head[1] & 0x7f)
		if wide := map[uint64]int{126: 2, 127: 8}[size]; wide > 0 {
			var length [8]byte
			if _, err := io.ReadFull(c.in, length[8-wide:]); err != nil {
				return nil, err
			}
			size = binary.BigEndian.Uint64(length[:])
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(c.in, data); err != nil {
			return nil, err
		}
		switch opcode := head[0] & 0x0f; {
		case opcode == 8:
			return nil, errors.New("the browser hung up")
		case opcode < 8:
			message = append(message, data...)
			if head[0]&0x80 != 0 {
				return message, nil
			}
		}
	}
}

type protocolMessage struct {
	ID     int
	Method string
	Result json.RawMessage
	Error  *struct{ Message string }
}

func (c *chromium) next() protocolMessage {
	c.t.Helper()
	data, err := c.read()
	if err != nil {
		c.t.Fatal(err)
	}
	var m protocolMessage
	if err := json.Unmarshal(data, &m); err != nil {
		c.t.Fatal(err)
	}
	if m.Method == "Page.loadEventFired" {
		c.loads++
	}
	return m
}

// call asks for something and passes over whatever happens until the answer.
func (c *chromium) call(method string, params any) json.RawMessage {
	c.t.Helper()
	m := c.ask(method, params)
	if m.Error != nil {
		c.t.Fatalf("%s: %s", method, m.Error.Message)
	}
	return m.Result
}

func (c *chromium) ask(method string, params any) protocolMessage {
	c.t.Helper()
	c.last++
	if params == nil {
		params = struct{}{}
	}
	data, err := json.Marshal(map[string]any{"id": c.last, "method": method, "params": params})
	if err == nil {
		err = c.write(data)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	for {
		if m := c.next(); m.ID == c.last {
			return m
		}
	}
}

// eval runs an expression in the page and waits for its promise.
func (c *chromium) eval(expression string) string {
	c.t.Helper()
	var out struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	answer := c.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true})
	if err := json.Unmarshal(answer, &out); err != nil || out.ExceptionDetails != nil {
		c.t.Fatalf("%s: %s", expression, answer)
	}
	return fmt.Sprint(out.Result.Value)
}

// open goes to an address; until waits for where it ends.
func (c *chromium) open(address, end string) string {
	c.t.Helper()
	c.call("Page.navigate", map[string]any{"url": address})
	return c.until(end)
}

// until waits for a page whose address begins like this, and answers its text.
func (c *chromium) until(begins string) string {
	c.t.Helper()
	for {
		before := c.loads
		// It may be on its way from one page to the next, where there is nothing to ask.
		there := c.ask("Runtime.evaluate", map[string]any{"expression": "document.readyState + location.href", "returnByValue": true})
		if strings.Contains(string(there.Result), `"complete`+begins) {
			return c.eval("document.body.innerText")
		}
		for c.loads == before {
			c.next()
		}
	}
}
