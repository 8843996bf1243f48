-- +goose Up
CREATE TABLE auth_tokens (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    prefix       text NOT NULL,
    secret_hash  blob NOT NULL,
    scopes       text NOT NULL,
    created_at   datetime NOT NULL,
    expires_at   datetime,
    revoked_at   datetime,
    last_used_at datetime
);

-- +goose Down
DROP TABLE auth_tokens;
