// Package page is the frame of every HTML page that modules serve.
//
// It owns the layout, the style sheet under /static, the content security
// policy, and the OpenGraph tags by which other sites show a link. The bodies
// are the modules' own templates: a module parses them once with [Parse] and
// hands name and data to [Renderer.Render]. It serves GET /static/….
//
// Standards: the Open Graph protocol, CSP Level 3, WCAG 2.2 AA for contrast and
// structure.
package page
