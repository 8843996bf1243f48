-- +goose Up
ALTER TABLE issuance_keys ADD COLUMN purposes text NOT NULL DEFAULT 'assertionMethod';
ALTER TABLE issuance_keys ADD COLUMN provider text NOT NULL DEFAULT 'local';
ALTER TABLE issuance_keys ADD COLUMN revoked_at timestamptz;
ALTER TABLE issuance_keys ADD COLUMN reason text;

-- +goose Down
ALTER TABLE issuance_keys DROP COLUMN reason;
ALTER TABLE issuance_keys DROP COLUMN revoked_at;
ALTER TABLE issuance_keys DROP COLUMN provider;
ALTER TABLE issuance_keys DROP COLUMN purposes;
