-- +goose Up

-- The sides of the status list that the credential names. Until now there was but one.
ALTER TABLE vcapi_credentials ADD COLUMN status_purposes text NOT NULL DEFAULT 'revocation';

-- +goose Down
ALTER TABLE vcapi_credentials DROP COLUMN status_purposes;
