package browser

// Reporter is what the browser needs of a test. Every testing.TB is one.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any) // does not return
	Logf(format string, args ...any)
	Cleanup(func())
	TempDir() string
}
