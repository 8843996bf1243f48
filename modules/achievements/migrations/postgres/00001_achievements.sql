-- +goose Up
CREATE TABLE achievements_images (
    id         uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE achievements_renditions (
    image_id   uuid   NOT NULL REFERENCES achievements_images (id) ON DELETE CASCADE,
    format     text   NOT NULL,
    media_type text   NOT NULL,
    width      bigint NOT NULL,
    height     bigint NOT NULL,
    size       bigint NOT NULL,
    sha256     text   NOT NULL,
    content    bytea  NOT NULL,
    PRIMARY KEY (image_id, format)
);

CREATE TABLE achievements_issuers (
    id         uuid PRIMARY KEY,
    name       text   NOT NULL,
    profile    text   NOT NULL,
    image_id   uuid REFERENCES achievements_images (id),
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX idx_achievements_issuers_created ON achievements_issuers (created_at, id);
CREATE INDEX idx_achievements_issuers_name ON achievements_issuers (name, id);
CREATE INDEX idx_achievements_issuers_image ON achievements_issuers (image_id);

CREATE TABLE achievements (
    id               uuid PRIMARY KEY,
    creator_id       uuid   NOT NULL REFERENCES achievements_issuers (id),
    name             text   NOT NULL,
    achievement_type text   NOT NULL,
    details          text   NOT NULL,
    image_id         uuid REFERENCES achievements_images (id),
    version          bigint NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX idx_achievements_creator ON achievements (creator_id);
CREATE INDEX idx_achievements_created ON achievements (created_at, id);
CREATE INDEX idx_achievements_name ON achievements (name, id);
CREATE INDEX idx_achievements_image ON achievements (image_id);

-- +goose Down
DROP TABLE achievements;
DROP TABLE achievements_issuers;
DROP TABLE achievements_renditions;
DROP TABLE achievements_images;
