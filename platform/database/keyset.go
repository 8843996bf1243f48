package database

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Keyset turns a query into one page of it, ordered by column and then by id,
// at most limit rows long. With an id, the page begins after the row of that id
// whose column holds value; without one it is the first. The column must be a
// name of the program, never one from outside, and hold no NULL.
//
// Unlike an offset, it costs the same on every page and skips or repeats nothing
// when rows are added meanwhile.
func Keyset(tx *gorm.DB, column string, descending bool, value any, id string, limit int) *gorm.DB {
	sorted, unique := clause.Column{Name: column}, clause.Column{Name: "id"}
	if column == "id" {
		value = id
	}
	if id != "" {
		comparison := "(?, ?) > (?, ?)"
		if descending {
			comparison = "(?, ?) < (?, ?)"
		}
		tx = tx.Where(comparison, sorted, unique, value, id)
	}
	return tx.Order(clause.OrderBy{Columns: []clause.OrderByColumn{
		{Column: sorted, Desc: descending},
		{Column: unique, Desc: descending},
	}}).Limit(limit)
}
