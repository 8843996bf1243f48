-- +goose Up
CREATE TABLE auth_shutouts (
    tenant_id text NOT NULL,
    object_id text NOT NULL,
    active    boolean NOT NULL,
    at        datetime NOT NULL,
    sequence  bigint NOT NULL,
    PRIMARY KEY (tenant_id, object_id)
);
CREATE UNIQUE INDEX idx_auth_shutouts_sequence ON auth_shutouts (sequence);

-- One row, whose lock puts the changes into the order in which they are committed.
CREATE TABLE auth_shutout_sequence (
    id    integer PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO auth_shutout_sequence (id, value) VALUES (1, 0);

-- +goose Down
DROP TABLE auth_shutout_sequence;
DROP TABLE auth_shutouts;
