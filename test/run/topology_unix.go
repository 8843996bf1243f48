//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/badge-engine/badge-engine/test/topology"
)

// runTopology runs everything until it is interrupted.
func runTopology(ctx context.Context) error {
	h := &house{ci: os.Getenv("CI") != "", env: os.Environ()}
	if err := h.find(ctx); err != nil {
		return err
	}
	missing := h.missing(true, true)
	if _, err := exec.LookPath("nginx"); err != nil {
		missing = append(missing, "nginx")
	}
	if len(missing) > 0 {
		if err := install(ctx, missing); err != nil {
			return err
		}
	}
	folder, err := os.MkdirTemp("", "badge-engine-topology-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "badge-engine")
	if err := h.run(ctx, "go", "build", "-o", binary, "./app"); err != nil {
		return err
	}
	top, err := topology.Start(context.WithoutCancel(ctx), h.root, binary)
	defer top.Stop()
	if err != nil {
		return errors.Join(err, errors.New(top.Log()))
	}
	fmt.Printf("\nnginx        %s\n", top.URL)
	for i, r := range top.Replicas {
		fmt.Printf("replica %d    %s\n", i+1, r.URL)
	}
	fmt.Printf("database     %s\nRedis        redis://:%s@%s/0\nadmin token  %s\n\nInterrupt to stop.\n", top.DatabaseURL(), topology.RedisPassword, top.RedisAddr(), topology.Admin)
	<-ctx.Done()
	return nil
}
