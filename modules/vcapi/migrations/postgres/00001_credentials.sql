-- +goose Up

-- What was signed for callers who wrote the credential themselves: not the credential,
-- which is theirs, but whose it is and where its status is.
CREATE TABLE vcapi_credentials (
    id            uuid PRIMARY KEY,
    issuer_id     uuid   NOT NULL,
    credential_id text,
    cryptosuite   text   NOT NULL,
    digest        text   NOT NULL,
    status_list   uuid,
    status_index  bigint,
    principal     text   NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE INDEX idx_vcapi_credentials_credential ON vcapi_credentials (credential_id);
CREATE UNIQUE INDEX idx_vcapi_credentials_status ON vcapi_credentials (status_list, status_index);

-- +goose Down
DROP TABLE vcapi_credentials;
