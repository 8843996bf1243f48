-- +goose Up

-- One row: how often a group that gives roles was changed in the directory. Whoever
-- found out roles before the last time finds them out again.
CREATE TABLE auth_role_era (
    id    integer PRIMARY KEY,
    value integer NOT NULL
);
INSERT INTO auth_role_era (id, value) VALUES (1, 0);

-- +goose Down
DROP TABLE auth_role_era;
