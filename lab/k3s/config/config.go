// Package config reads what k3s is told: command line, then config.yaml.d, then config.yaml, then the environment.
// Source: https://docs.k3s.io/installation/configuration
package config

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Config is what one run of k3s was told.
type Config struct {
	values map[string][]string
	flags  map[string]flag
	// Arguments are the command, what the files say as flags, and what the command line says.
	Arguments []string
}

// Parse reads the command line of a command (without it) and the files and variables that belong to it.
func Parse(command string, line []string) (*Config, error) {
	return parse(command, line, os.Getenv)
}

func parse(command string, line []string, getenv func(string) string) (*Config, error) {
	flags := tables[command]
	given, err := parseLine(flags, line)
	if err != nil {
		return nil, err
	}
	path := getenv("K3S_CONFIG_FILE")
	if asked := given["config"]; len(asked) > 0 {
		path = asked[len(asked)-1]
	}
	fromFiles, err := readFiles(path, flags, command == "agent")
	if err != nil {
		return nil, err
	}
	c := &Config{values: map[string][]string{}, flags: flags, Arguments: []string{command}}
	for _, entry := range flags {
		if value := getenv(entry.env); entry.env != "" && value != "" {
			c.values[entry.name] = []string{value}
		}
	}
	for _, setting := range fromFiles {
		c.values[setting.name] = setting.values
		for _, value := range setting.values {
			c.Arguments = append(c.Arguments, "--"+setting.name, value)
		}
	}
	// A list on the command line replaces all of the files' list.
	for name, values := range given {
		c.values[name] = values
	}
	c.Arguments = append(c.Arguments, splitArguments(line)...)
	for _, name := range notImitated {
		if value := c.String(name); value != "" && value != "false" {
			return nil, fmt.Errorf("the lab's double of k3s does not imitate --%s", name)
		}
	}
	return c, nil
}

func parseLine(flags map[string]flag, line []string) (map[string][]string, error) {
	given := map[string][]string{}
	for i := 0; i < len(line); i++ {
		name, value, hasValue := strings.Cut(strings.TrimLeft(line[i], "-"), "=")
		entry, known := flags[name]
		if !strings.HasPrefix(line[i], "-") || !known {
			return nil, fmt.Errorf("flag provided but not defined: -%s", name)
		}
		if !hasValue && entry.kind == boolean {
			value = "true"
		} else if !hasValue {
			if i++; i >= len(line) {
				return nil, fmt.Errorf("flag needs an argument: -%s", name)
			}
			value = line[i]
		}
		if entry.kind == boolean {
			if _, err := strconv.ParseBool(value); err != nil {
				return nil, fmt.Errorf("invalid boolean value %q for -%s", value, name)
			}
		}
		if entry.kind != list {
			given[entry.name] = nil
		}
		given[entry.name] = append(given[entry.name], value)
	}
	return given, nil
}

func splitArguments(line []string) []string {
	var arguments []string
	for _, each := range line {
		if name, value, found := strings.Cut(each, "="); found && strings.HasPrefix(each, "-") {
			arguments = append(arguments, name, value)
			continue
		}
		arguments = append(arguments, each)
	}
	return arguments
}

// String is the value of a flag, or its default.
func (c *Config) String(name string) string {
	if values := c.values[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return c.flags[name].fallback
}

// Bool is the value of a flag that is set or not.
func (c *Config) Bool(name string) bool {
	value, _ := strconv.ParseBool(c.String(name))
	return value
}

// Int is the value of a flag that counts.
func (c *Config) Int(name string) int {
	value, err := strconv.Atoi(c.String(name))
	if err != nil {
		value, _ = strconv.Atoi(c.flags[name].fallback)
	}
	return value
}

// List are all values of a flag; "a,b" counts as two.
func (c *Config) List(name string) []string {
	values := c.values[name]
	if values == nil && c.flags[name].fallback != "" {
		values = []string{c.flags[name].fallback}
	}
	var all []string
	for _, value := range values {
		// A flag for another program may itself have commas in its value.
		if strings.HasSuffix(name, "-arg") {
			all = append(all, value)
			continue
		}
		for _, part := range strings.Split(value, ",") {
			if part != "" && !slices.Contains(all, part) {
				all = append(all, part)
			}
		}
	}
	return all
}

// Secret reads a flag that may lie in a file of the sister flag --NAME-file.
func (c *Config) Secret(name string) (string, error) {
	if value := c.String(name); value != "" {
		return value, nil
	}
	path := c.String(name + "-file")
	if path == "" {
		return "", nil
	}
	content, err := os.ReadFile(path)
	return strings.TrimSpace(string(content)), err
}

// Set overrides a value.
func (c *Config) Set(name, value string) { c.values[name] = []string{value} }
