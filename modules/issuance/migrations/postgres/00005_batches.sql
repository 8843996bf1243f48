-- +goose Up
CREATE TABLE issuance_batches (
    id              uuid PRIMARY KEY,
    owner           text    NOT NULL,
    idempotency_key text,
    request_hash    text,
    dry_run         boolean NOT NULL,
    state           text    NOT NULL,
    total           bigint  NOT NULL,
    processed       bigint  NOT NULL,
    succeeded       bigint  NOT NULL,
    failed          bigint  NOT NULL,
    trouble         text    NOT NULL,
    lease_until     timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (owner, idempotency_key)
);
CREATE INDEX idx_issuance_batches_created ON issuance_batches (created_at, id);
CREATE INDEX idx_issuance_batches_running ON issuance_batches (lease_until) WHERE state = 'running';

CREATE TABLE issuance_batch_lines (
    batch_id      uuid   NOT NULL,
    number        bigint NOT NULL,
    state         text   NOT NULL,
    credential_id uuid   NOT NULL,
    sealed        bytea,
    problem       text,
    PRIMARY KEY (batch_id, number)
);

-- +goose Down
DROP TABLE issuance_batch_lines;
DROP TABLE issuance_batches;
