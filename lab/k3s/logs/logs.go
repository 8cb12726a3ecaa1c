// Package logs writes lines in the format of k3s's logger (logrus, text).
package logs

import (
	"fmt"
	"os"
	"time"
)

func write(level, format string, values []any) {
	now := time.Now().UTC().Format(time.RFC3339)
	fmt.Fprintf(os.Stderr, "time=%q level=%s msg=%q\n", now, level, fmt.Sprintf(format, values...))
}

// Info tells what goes on.
func Info(format string, values ...any) { write("info", format, values) }

// Warn tells of something that may be wrong.
func Warn(format string, values ...any) { write("warning", format, values) }

// Error tells of something that failed and is tried again.
func Error(format string, values ...any) { write("error", format, values) }

// Fatal tells why k3s ends, and ends it.
func Fatal(format string, values ...any) {
	write("fatal", format, values)
	os.Exit(1)
}
