-- +goose Up

-- Which achievement here stands for a badge class of elsewhere.
CREATE TABLE intake_classes (
    source_key     text PRIMARY KEY,
    issuer_id      text NOT NULL,
    source_id      text NOT NULL,
    achievement_id text NOT NULL,
    created_at     datetime NOT NULL
);

-- Which credential here was issued for a badge of elsewhere; none while that is begun.
CREATE TABLE intake_badges (
    source_key    text PRIMARY KEY,
    issuer_id     text NOT NULL,
    source_id     text NOT NULL,
    credential_id text,
    principal     text NOT NULL,
    created_at    datetime NOT NULL
);

-- +goose Down
DROP TABLE intake_badges;
DROP TABLE intake_classes;
