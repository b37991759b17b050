package blockkit

import _ "embed"

// CSS is the style of what this package renders. The page defines the colours as custom properties: --bg, --fg, --muted,
// --line, --accent, --accent-fg, --danger, --danger-fg, --code-bg, --code-fg, --mention-bg, --mention-fg and --panel.
//
//go:embed blockkit.css
var CSS string
