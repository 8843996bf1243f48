-- +goose Up

-- A batch keeps its orders in blocks of many, each of which is dealt with in one
-- transaction. Batches without a format were begun before, and have lines.
ALTER TABLE issuance_batches ADD COLUMN achievement_id uuid;
ALTER TABLE issuance_batches ADD COLUMN format text;
CREATE INDEX idx_issuance_batches_unfinished ON issuance_batches (lease_until) WHERE state IN ('running', 'issuing');

CREATE TABLE issuance_batch_blocks (
    batch_id   uuid   NOT NULL,
    number     bigint NOT NULL,
    first_line bigint NOT NULL,
    lines      bigint NOT NULL,
    state      text   NOT NULL,
    seed       bytea  NOT NULL,
    orders     bytea,
    succeeded  bigint NOT NULL,
    failed     bigint NOT NULL,
    report     bytea,
    PRIMARY KEY (batch_id, number)
);

ALTER TABLE achievement_credentials ADD COLUMN batch_id uuid;

-- +goose Down
ALTER TABLE achievement_credentials DROP COLUMN batch_id;
DROP TABLE issuance_batch_blocks;
DROP INDEX idx_issuance_batches_unfinished;
ALTER TABLE issuance_batches DROP COLUMN format;
ALTER TABLE issuance_batches DROP COLUMN achievement_id;
