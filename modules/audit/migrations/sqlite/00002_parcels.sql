-- +goose Up

-- Events of one unit of work that wait together for their places in the chain.
CREATE TABLE audit_parcels (
    id     text PRIMARY KEY,
    count  integer NOT NULL,
    events blob NOT NULL,
    mark   blob NOT NULL
);

-- +goose Down
DROP TABLE audit_parcels;
