// Package bulk reads a BulkRequest and plans the order in which its operations can be done.
//
// An operation may name a resource that another one of the same request makes, as "bulkId:x", in a value, in a value of a
// PATCH or in its path, and that other one may come later. The plan does the makers first. Where they need each other in a
// circle, one is made without the reference, which a later step adds. Executing the plan is left to the module.
//
// Standards: RFC 7644, 3.7 (Bulk Operations).
package bulk
