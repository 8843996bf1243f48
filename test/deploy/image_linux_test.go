package deploy_test

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// aloneInTheWorld starts the program as the image does: by a user without rights, in a
// root where there is nothing but itself and the folders that the Dockerfile makes, and
// asks it for its health as the image does.
func aloneInTheWorld(t *testing.T, program string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may change the root")
	}
	const nonroot = 65532
	root, err := os.MkdirTemp("", "image-") // that of the test is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Chmod(root, 0o755),
		os.WriteFile(filepath.Join(root, "badge-engine"), data, 0o755),
		os.Mkdir(filepath.Join(root, "tmp"), 0o777),
		os.Mkdir(filepath.Join(root, "data"), 0o700),
		os.Chown(filepath.Join(root, "data"), nonroot, nonroot),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	run := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command("/badge-engine", args...)
		cmd.Dir = "/"
		cmd.Env = []string{"HOST=127.0.0.1", "PORT=" + port, "DATABASE_URL=sqlite:/data/badge-engine.db", "KEY_ENCRYPTION_KEY_FILE=/data/key-encryption.key"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nonroot, Gid: nonroot}}
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		return cmd, &said
	}
	server, said := run("serve")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait()
		close(ended)
	}()
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		<-ended
	}()
	for deadline := time.Now().Add(30 * time.Second); ; {
		check, _ := run("healthcheck")
		if check.Run() == nil {
			return
		}
		select {
		case <-ended:
			t.Fatalf("it ended:\n%s", said)
		case <-time.After(50 * time.Millisecond): // another process: there is no event to wait for
		}
		if time.Now().After(deadline) {
			_ = server.Process.Kill()
			<-ended
			t.Fatalf("it is not healthy:\n%s", said)
		}
	}
}
