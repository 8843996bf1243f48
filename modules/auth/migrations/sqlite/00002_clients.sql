-- +goose Up
CREATE TABLE auth_clients (
    id                 text PRIMARY KEY,
    name               text NOT NULL,
    scopes             text NOT NULL,
    assertion_issuer   text,
    assertion_tenant   text,
    assertion_subject  text,
    assertion_party    text,
    assertion_audience text,
    created_at         datetime NOT NULL,
    disabled_at        datetime,
    last_used_at       datetime
);

CREATE TABLE auth_client_secrets (
    id           text PRIMARY KEY,
    client_id    text  NOT NULL REFERENCES auth_clients (id),
    prefix       text  NOT NULL,
    secret_hash  blob  NOT NULL,
    created_at   datetime NOT NULL,
    expires_at   datetime,
    revoked_at   datetime,
    last_used_at datetime
);
CREATE INDEX idx_auth_client_secrets_client ON auth_client_secrets (client_id);

-- The access tokens of clients live beside the API tokens; null means no client.
ALTER TABLE auth_tokens ADD COLUMN client_id text;
ALTER TABLE auth_tokens ADD COLUMN secret_id text;
CREATE INDEX idx_auth_tokens_client ON auth_tokens (client_id, expires_at);

-- +goose Down
DELETE FROM auth_tokens WHERE client_id IS NOT NULL;
DROP INDEX idx_auth_tokens_client;
ALTER TABLE auth_tokens DROP COLUMN secret_id;
ALTER TABLE auth_tokens DROP COLUMN client_id;
DROP TABLE auth_client_secrets;
DROP TABLE auth_clients;
