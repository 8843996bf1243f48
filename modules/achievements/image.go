package achievements

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// MaxImageBytes bounds an uploaded picture.
const MaxImageBytes = 8 << 20

// inspect refuses whatever could not be shown and baked safely.
func inspect(content []byte) (Rendition, error) {
	if len(content) > MaxImageBytes {
		return Rendition{}, ErrImageTooLarge.Detailf("It has %d bytes; at most %d are taken.", len(content), MaxImageBytes)
	}
	info, err := image.Inspect(content)
	if err != nil {
		return Rendition{}, unusable(err)
	}
	if len(info.Baked) > 0 {
		return Rendition{}, ErrImageInvalid.Detailf("It is a baked badge already: it holds somebody's credential. Upload the plain picture.")
	}
	sum := sha256.Sum256(content)
	return Rendition{
		Format: info.Format, MediaType: info.MediaType, Width: info.Width, Height: info.Height,
		Size: len(content), SHA256: hex.EncodeToString(sum[:]),
	}, nil
}

// UploadImage stores a new image with its first rendition. It answers with
// [ErrImageInvalid], [ErrImageTooLarge] or [ErrImageUnsupported].
func (s *Service) UploadImage(ctx context.Context, content []byte) (Image, error) {
	rendition, err := inspect(content)
	if err != nil {
		return Image{}, err
	}
	at := s.stamp()
	img := Image{ID: newID(), Renditions: []Rendition{rendition}, Created: at, Updated: at}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if err := s.store.InsertImage(ctx, img); err != nil {
			return err
		}
		if err := s.store.PutRendition(ctx, img.ID, rendition, content); err != nil {
			return err
		}
		return s.record(ctx, "achievements.image.created", img.ID)
	})
	if err != nil {
		return Image{}, err
	}
	s.log.InfoContext(ctx, "image stored", "image", img.ID, "format", rendition.Format, "bytes", rendition.Size, "by", principal.From(ctx).ID)
	return img, nil
}

// PutRendition adds the picture in another format, or replaces it in the same one.
// It answers like [Service.UploadImage], or with [ErrImageNotFound].
func (s *Service) PutRendition(ctx context.Context, id string, content []byte) (Image, error) {
	id, err := known(id, ErrImageNotFound)
	if err != nil {
		return Image{}, err
	}
	rendition, err := inspect(content)
	if err != nil {
		return Image{}, err
	}
	var img Image
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if err := s.store.TouchImage(ctx, id, s.stamp()); err != nil {
			return err
		}
		if err := s.store.PutRendition(ctx, id, rendition, content); err != nil {
			return err
		}
		if img, err = s.store.Image(ctx, id); err != nil {
			return err
		}
		return s.record(ctx, "achievements.image.changed", id)
	})
	if err != nil {
		return Image{}, err
	}
	s.log.InfoContext(ctx, "image changed", "image", id, "format", rendition.Format, "bytes", rendition.Size, "by", principal.From(ctx).ID)
	return img, nil
}

// Image answers the description of one image or [ErrImageNotFound].
func (s *Service) Image(ctx context.Context, id string) (Image, error) {
	id, err := known(id, ErrImageNotFound)
	if err != nil {
		return Image{}, err
	}
	return s.store.Image(ctx, id)
}

// DeleteImage removes an image that no profile and no achievement shows, else
// answers [ErrInUse].
func (s *Service) DeleteImage(ctx context.Context, id string) error {
	id, err := known(id, ErrImageNotFound)
	if err != nil {
		return err
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if err := s.store.DeleteImage(ctx, id); err != nil {
			return err
		}
		return s.record(ctx, "achievements.image.deleted", id)
	})
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "image deleted", "image", id, "by", principal.From(ctx).ID)
	return nil
}

// Content answers the bytes of an image in the format asked for; an empty format
// means the first there is. It answers with [ErrImageNotFound] or [ErrRenditionNotFound].
func (s *Service) Content(ctx context.Context, id string, format image.Format) (Rendition, []byte, error) {
	id, err := known(id, ErrImageNotFound)
	if err != nil {
		return Rendition{}, nil, err
	}
	if format != "" && format != image.PNG && format != image.SVG {
		return Rendition{}, nil, ErrRenditionNotFound.Detailf("The formats of a badge are png and svg.")
	}
	return s.store.Content(ctx, id, format)
}

// Picture answers the bytes of an achievement's picture in one format. It serves
// the baking of badges and answers with [ErrAchievementNotFound], or with
// [ErrRenditionNotFound] where there is no such picture.
func (s *Service) Picture(ctx context.Context, achievementID string, format image.Format) ([]byte, error) {
	achievement, err := s.Achievement(ctx, achievementID)
	if err != nil {
		return nil, err
	}
	if achievement.ImageID == "" {
		return nil, ErrRenditionNotFound.Detailf("The achievement has no picture.")
	}
	_, content, err := s.store.Content(ctx, achievement.ImageID, format)
	return content, err
}

// PublishedPicture is an image as it lies on the shelf.
type PublishedPicture struct {
	Rendition
	Content []byte
}

// Weight implements [shelf.Weighed].
func (p *PublishedPicture) Weight() int { return len(p.Content) }

// Published is [Service.Content] as it lies on the shelf. Its bytes must not be altered.
func (s *Service) Published(ctx context.Context, id string, format image.Format) (*PublishedPicture, error) {
	key := "image " + string(format) + " " + strings.ToLower(id)
	return shelf.Get(ctx, s.shelf, key, func(ctx context.Context) (*PublishedPicture, error) {
		rendition, content, err := s.Content(ctx, id, format)
		return &PublishedPicture{rendition, content}, err
	})
}
