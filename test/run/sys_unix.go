//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	osuser "os/user"
	"strconv"
	"syscall"
)

// stopSignals are what asks us to stop.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// account is whom a server runs as: ourselves, or somebody with fewer rights.
type account struct{ credential *syscall.Credential }

// unprivileged finds an account for PostgreSQL, which refuses to run as root.
func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(found.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(found.Gid, 10, 32)
		if errUID == nil && errGID == nil && uid != 0 {
			return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
		}
	}
	return account{}, errors.New("it does not run as root, and there is no user postgres or nobody")
}

// folder makes a temporary folder that belongs to the account.
func (a account) folder() (string, error) {
	parent := ""
	if a.credential != nil {
		parent = "/tmp" // TMPDIR may lie where only root may go
	}
	folder, err := os.MkdirTemp(parent, "badge-engine-postgres-")
	if err == nil && a.credential != nil {
		err = os.Chown(folder, int(a.credential.Uid), int(a.credential.Gid))
	}
	return folder, err
}

// run makes cmd run as the account, and apart from us.
func (a account) run(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential, Setpgid: true}
}

// apart keeps a terminal's Ctrl-C from cmd, so that it is there until we stop it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
