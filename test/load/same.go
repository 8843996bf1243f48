package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// same serves what issuing is compared with: the program itself, with one more route. That takes the same requests by the
// same server, admission, limits and strict reading, and stores a row of the same columns with its event in the same
// shared units of work; but the document is a fixed one. Nothing is composed, checked, signed, held or given a place in a
// status list.
func same(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("same DOCUMENT")
	}
	document, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	environ, err := config.Environment(".")
	if err != nil {
		return err
	}
	cfg, err := engine.Load(environ)
	if err != nil {
		return err
	}
	e, err := engine.New(engine.Options{Config: cfg, Extra: func(h engine.House) httpserver.Table { return withoutCredential(h, document) }})
	if err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return e.Stop(context.WithoutCancel(ctx))
}

// stored is a row on its way into achievement_credentials, in the order of its columns.
type stored struct {
	id  string
	row []any
}

var storedColumns = []string{
	"id", "issuer_id", "achievement_id", "state", "name", "recipient_index", "document", "holder_document", "token", "key_ids", "form",
	"valid_from", "valid_until", "version", "status_list", "status_index", "status_purpose", "created_at", "updated_at",
}

// answered is what is answered beside the document: the members that an issued credential has.
type answered struct {
	ID            string    `json:"id"`
	PublicURL     string    `json:"publicUrl"`
	IssuerID      string    `json:"issuerId"`
	AchievementID string    `json:"achievementId"`
	State         string    `json:"state"`
	Name          string    `json:"name"`
	ValidFrom     time.Time `json:"validFrom"`
	Version       int64     `json:"version"`
	CreatedAt     time.Time `json:"createdAt"`
	UpdatedAt     time.Time `json:"updatedAt"`
	Status        struct {
		State     string `json:"state"`
		Purpose   string `json:"purpose"`
		List      string `json:"list"`
		Index     int64  `json:"index"`
		Published bool   `json:"published"`
	} `json:"status"`
}

func withoutCredential(house engine.House, document []byte) httpserver.Table {
	shared := database.NewShared(house.DB, func(ctx context.Context, several []*database.Share[stored]) error {
		rows := database.Rows{Table: "achievement_credentials", Columns: storedColumns}
		var targets []string
		var by []context.Context
		for _, s := range several {
			rows.Values, targets, by = append(rows.Values, s.Value.row), append(targets, s.Value.id), append(by, s.Context)
		}
		if err := house.DB.Insert(ctx, rows); err != nil {
			return err
		}
		return house.Record(ctx, "issuance.credential.issued", targets, by)
	})
	lists, key := uuid.New(), uuid.NewString()
	var places atomic.Int64
	text := string(document)
	return httpserver.Table{{
		Method: fiber.MethodPost, Path: "/api/v1/orders", Access: httpserver.Scope(principal.ScopeCredentialsIssue), Tag: "Load", Summary: "The same without a credential",
		Response: answered{},
		Handler: func(c *fiber.Ctx) error {
			if err := house.Order(c); err != nil {
				return err
			}
			now := time.Now().UTC().Truncate(time.Second)
			id := uuid.Must(uuid.NewV7()).String()
			// Entries of a list are given away in no order, so that the index over them is written everywhere.
			const size, scatter = 1 << 17, 48271
			n := places.Add(1)
			list, place := uuid.NewSHA1(lists, []byte{byte(n / size)}).String(), n%size*scatter%size
			out := answered{
				ID: id, PublicURL: "http://localhost:8000/credentials/" + id, IssuerID: issuerOfRows, AchievementID: achievementOfRows, State: "issued", Name: "Foundations of Bookbinding",
				ValidFrom: now, Version: 1, CreatedAt: now, UpdatedAt: now,
			}
			out.Status.State, out.Status.Purpose, out.Status.Index, out.Status.Published = "valid", "revocation", place, true
			out.Status.List = "http://localhost:8000/status/" + list + "/revocation"
			err := shared.Put(c.UserContext(), stored{id, []any{
				id, out.IssuerID, out.AchievementID, out.State, out.Name, uuid.NewString()[:28] + uuid.NewString(), text, nil, nil, key, nil,
				now, nil, out.Version, list, place, out.Status.Purpose, now, now,
			}})
			if err != nil {
				return err
			}
			c.Location("/api/v1/credentials/" + id)
			c.Set(fiber.HeaderETag, `"1"`)
			return httpserver.JSONWith(c, fiber.StatusCreated, out, "credential", document)
		},
	}}
}
