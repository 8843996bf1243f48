package engine

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

const (
	fewBytes = 1 << 30   // below this a disk is nearly full
	noBytes  = 100 << 20 // below this nothing more should be written
)

// examineMachine looks at disks and memory.
func examineMachine(folders []string) diagnosis.Examination {
	return func(_ context.Context, n *diagnosis.Notes) {
		for _, folder := range folders {
			free, ok := freeSpace(folder)
			text := fmt.Sprintf("%d MiB are free.", free>>20)
			switch {
			case !ok:
				n.Skip("machine.disk", folder, "Its free space cannot be told.")
			case free < noBytes:
				n.Fail("machine.disk", folder, text, "Make room: nothing can be stored when it is full. What was acknowledged stays.")
			case free < fewBytes:
				n.Warn("machine.disk", folder, text, "Make room, or a larger disk.")
			default:
				n.OK("machine.disk", folder, "%s", text)
			}
		}
		examineMemory(cgroupLimit(os.ReadFile), debug.SetMemoryLimit(-1), n)
	}
}

// examineMemory compares what the container allows with what the Go runtime keeps to.
func examineMemory(allowed, kept int64, n *diagnosis.Notes) {
	const looked = "the memory limit of the container and GOMEMLIMIT"
	switch {
	case allowed == 0 && kept == math.MaxInt64:
		n.OK("machine.memory", looked, "Neither is set.")
	case allowed == 0:
		n.OK("machine.memory", looked, "GOMEMLIMIT is %d MiB; the container has no limit.", kept>>20)
	case kept == math.MaxInt64:
		n.Warn("machine.memory", looked, fmt.Sprintf("The container may have %d MiB, and GOMEMLIMIT is not set.", allowed>>20),
			fmt.Sprintf("Set GOMEMLIMIT=%dMiB, nine tenths of it: the runtime then frees memory before the container is killed.", allowed/10*9>>20))
	case kept > allowed/20*19:
		n.Warn("machine.memory", looked, fmt.Sprintf("The container may have %d MiB, GOMEMLIMIT is %d MiB.", allowed>>20, kept>>20),
			fmt.Sprintf("Set GOMEMLIMIT=%dMiB, nine tenths of the container's.", allowed/10*9>>20))
	default:
		n.OK("machine.memory", looked, "The container may have %d MiB, GOMEMLIMIT is %d MiB.", allowed>>20, kept>>20)
	}
}

// cgroupLimit is what the container may have, in version 2 or 1 of control groups;
// 0 where there is no limit.
func cgroupLimit(read func(string) ([]byte, error)) int64 {
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := read(file)
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err != nil || limit > 1<<50 { // "max", or the number that means it
			return 0
		}
		return limit
	}
	return 0
}
