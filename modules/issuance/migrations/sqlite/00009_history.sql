-- +goose Up

-- What an act on many credentials was asked for, and which act ended a mark or withdrew a
-- credential: so that the history of each says it.
ALTER TABLE issuance_status_operations ADD COLUMN query text NOT NULL DEFAULT '';
ALTER TABLE issuance_status_marks ADD COLUMN ended_by text;
ALTER TABLE achievement_credentials ADD COLUMN withdrawn_by text;

-- +goose Down
ALTER TABLE achievement_credentials DROP COLUMN withdrawn_by;
ALTER TABLE issuance_status_marks DROP COLUMN ended_by;
ALTER TABLE issuance_status_operations DROP COLUMN query;
