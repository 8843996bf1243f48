-- +goose Up
CREATE TABLE auth_tokens (
    id           uuid PRIMARY KEY,
    name         text  NOT NULL,
    prefix       text  NOT NULL,
    secret_hash  bytea NOT NULL,
    scopes       text  NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

-- +goose Down
DROP TABLE auth_tokens;
