package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/badge-engine/badge-engine/platform/database"
)

// person is the body by which Entra creates somebody.
func person(run string, client, n int) string {
	who := fmt.Sprintf("person-%s-%d-%d@example.org", run, client, n)
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"externalId":%q,"userName":%q,"active":true,"displayName":"Dana Kim","emails":[{"primary":true,"type":"work","value":%q}],`+
		`"meta":{"resourceType":"User"},"name":{"formatted":"Dana Kim","familyName":"Kim","givenName":"Dana"},"title":null,"roles":[],`+
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"88121","department":"Learning"}}`, uuid.NewString(), who, who)
}

// directory compares the creation of users over SCIM with a bare handler that decodes the same body and inserts the same
// rows: the user, the address by which they are found, and the event of the audit trail, in one transaction.
func directory(ctx context.Context, l *lab) ([]row, error) {
	sqlite, postgres, err := l.engines(ctx, "directory")
	rows := []row{{name: "provision-sqlite", unit: "%", target: 70, least: true}, {name: "provision-postgres", unit: "%", target: 70, least: true}}
	if err != nil {
		rows[1].missing = err.Error()
	}
	for i, address := range []string{sqlite, postgres} {
		if address == "" {
			continue
		}
		p, err := l.serve(ctx, address)
		if err != nil {
			return nil, err
		}
		other := "sqlite:" + filepath.Join(l.folder, "people.db")
		if address == postgres {
			if _, other, err = l.engines(ctx, "people"); err != nil {
				return nil, err
			}
		}
		if err := l.migrate(ctx, other); err != nil {
			return nil, err
		}
		bare, err := l.ceiling(ctx, "0", other)
		if err != nil {
			return nil, err
		}
		create := func(p *process, path string) func() (load, error) {
			return func() (load, error) {
				run := uuid.NewString()[:8]
				return drive(ctx, p, clients, l.span, fasthttp.StatusCreated, func(client, n int, r *fasthttp.Request) { post(r, path, person(run, client, n)) })
			}
		}
		ratio, best, ceiling, err := turns(3, create(p, "/scim/v2/Users"), create(bare, "/users"))
		if err != nil {
			return nil, err
		}
		rows[i].measured, rows[i].detail = 100*ratio, fmt.Sprintf("%s; the ceiling %s", best, ceiling)
		p.stop()
		bare.stop()
	}
	return rows, nil
}

// migrate gives a database the tables of the program.
func (l *lab) migrate(ctx context.Context, address string) error {
	dir, err := os.MkdirTemp(l.folder, "migrate-")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, l.program, "migrate", "up")
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + address}
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, said)
	}
	return nil
}

// The rows of somebody new, as wide and as much indexed as the program has them.
type userRow struct {
	ID, UserName, UserNameFold, ExternalID, ExternalIDFold, Email, Name string
	IsActive, IsLinked                                                  bool
	Doc, Search                                                         string
	Version                                                             int64
	CreatedUS                                                           int64 `gorm:"column:created_us"`
	ModifiedUS                                                          int64 `gorm:"column:modified_us"`
}

// TableName implements the naming of gorm.
func (userRow) TableName() string { return "users" }

type addressRow struct{ Attribute, ValueFold, UserID string }

// TableName implements the naming of gorm.
func (addressRow) TableName() string { return "scim_user_values" }

type eventRow struct {
	ID                                                                                     string
	At                                                                                     time.Time
	Principal, PrincipalKind, Action, Target, Outcome, Reason, Detail, RemoteIP, RequestID string
	Count                                                                                  int64
	Mark                                                                                   []byte
}

// TableName implements the naming of gorm.
func (eventRow) TableName() string { return "audit_pending" }

// people serves the ceiling of creating users.
func people(db *database.DB) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var in struct {
			UserName, ExternalID, DisplayName string
			Emails                            []struct{ Value string }
		}
		body := c.Body()
		if err := json.Unmarshal(body, &in); err != nil {
			return err
		}
		id, now := uuid.Must(uuid.NewV7()).String(), time.Now()
		err := db.Do(c.UserContext(), func(ctx context.Context) error {
			session := db.Session(ctx)
			err := session.Create(&userRow{
				ID: id, UserName: in.UserName, UserNameFold: in.UserName, ExternalID: in.ExternalID, ExternalIDFold: in.ExternalID, Email: in.Emails[0].Value, Name: in.DisplayName,
				IsActive: true, IsLinked: true, Doc: string(body), Search: string(body), Version: 1, CreatedUS: now.UnixMicro(), ModifiedUS: now.UnixMicro(),
			}).Error
			if err == nil {
				err = session.Create(&addressRow{"emails", in.Emails[0].Value, id}).Error
			}
			if err == nil {
				err = session.Create(&eventRow{ID: uuid.Must(uuid.NewV7()).String(), At: now.UTC(), Principal: "bootstrap", PrincipalKind: "bootstrap", Action: "scim.user.created", Target: id, Outcome: "succeeded", Count: 1, Mark: make([]byte, 32)}).Error
			}
			return err
		})
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/scim+json")
		return c.Status(fiber.StatusCreated).Send(body)
	}
}
