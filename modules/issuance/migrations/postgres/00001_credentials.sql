-- +goose Up
CREATE TABLE issuance_keys (
    id         uuid PRIMARY KEY,
    issuer_id  uuid  NOT NULL,
    algorithm  text  NOT NULL,
    multikey   text  NOT NULL UNIQUE,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL,
    retired_at timestamptz
);
CREATE INDEX idx_issuance_keys_issuer ON issuance_keys (issuer_id);

CREATE TABLE achievement_credentials (
    id              uuid PRIMARY KEY,
    issuer_id       uuid   NOT NULL,
    achievement_id  uuid   NOT NULL,
    state           text   NOT NULL,
    name            text   NOT NULL,
    recipient_index text,
    document        text,
    valid_from      timestamptz NOT NULL,
    valid_until     timestamptz,
    version         bigint NOT NULL,
    owner           text,
    idempotency_key text,
    request_hash    text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (owner, idempotency_key)
);
CREATE INDEX idx_credentials_issuer ON achievement_credentials (issuer_id);
CREATE INDEX idx_credentials_achievement ON achievement_credentials (achievement_id);
CREATE INDEX idx_credentials_recipient ON achievement_credentials (recipient_index);
CREATE INDEX idx_credentials_created ON achievement_credentials (created_at, id);
CREATE INDEX idx_credentials_valid_from ON achievement_credentials (valid_from, id);
CREATE INDEX idx_credentials_reserved ON achievement_credentials (created_at) WHERE state = 'reserved';

-- +goose Down
DROP TABLE achievement_credentials;
DROP TABLE issuance_keys;
