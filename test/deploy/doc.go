// Package deploy checks the files by which the program is deployed: the compose file
// and the Kubernetes manifests against their published schemas, by tools that
// bring them along; alerts and dashboard against the metrics there are.
package deploy
