-- +goose Up

-- Events of one unit of work that wait together for their places in the chain.
CREATE TABLE audit_parcels (
    id     uuid PRIMARY KEY,
    count  bigint NOT NULL,
    events bytea NOT NULL,
    mark   bytea NOT NULL
);

-- +goose Down
DROP TABLE audit_parcels;
