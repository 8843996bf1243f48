//go:build unix

package servers

import (
	"errors"
	"os"
	"os/exec"
	osuser "os/user"
	"strconv"
	"syscall"
)

// Account is whom a server runs as: ourselves, or somebody with fewer rights.
type Account struct{ credential *syscall.Credential }

// Unprivileged finds an account for PostgreSQL, which refuses to run as root.
func Unprivileged() (Account, error) {
	if os.Geteuid() != 0 {
		return Account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(found.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(found.Gid, 10, 32)
		if errUID == nil && errGID == nil && uid != 0 {
			return Account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
		}
	}
	return Account{}, errors.New("it does not run as root, and there is no user postgres or nobody")
}

// Folder makes a temporary folder that belongs to the account.
func (a Account) Folder() (string, error) {
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

// Run makes cmd run as the account, and apart from us.
func (a Account) Run(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential, Setpgid: true}
}

// Apart keeps a terminal's Ctrl-C from cmd, so that it is there until we stop it.
func Apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
