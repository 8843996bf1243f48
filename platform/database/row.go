package database

import (
	"errors"

	"gorm.io/gorm"
)

// One is what came of reading one row: notFound in the place of gorm's word for nothing.
func One(err, notFound error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return notFound
	}
	return err
}

// Changed is what came of a statement that must touch a row: otherwise where it touched none.
func Changed(tx *gorm.DB, otherwise error) error {
	if tx.Error != nil {
		return tx.Error
	}
	if tx.RowsAffected == 0 {
		return otherwise
	}
	return nil
}
