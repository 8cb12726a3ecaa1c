package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"triad.invalid/k3s/logs"
)

const defaultFile = "/etc/rancher/k3s/config.yaml"

type setting struct {
	name   string
	values []string
}

// readFiles merges config.yaml and config.yaml.d/*.yaml in the order of their names: the last value wins, and `key+`
// adds to what earlier files said.
func readFiles(path string, flags map[string]flag, strict bool) ([]setting, error) {
	if path == "" {
		path = defaultFile
	}
	files, err := filesOf(path)
	if err != nil {
		return nil, err
	}
	var settings []setting
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if settings, err = merge(settings, content, flags, strict); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return settings, nil
}

func filesOf(path string) ([]string, error) {
	var files []string
	if _, err := os.Stat(path); err == nil {
		files = append(files, path)
	}
	entries, err := os.ReadDir(path + ".d")
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for _, entry := range entries {
		if extension := filepath.Ext(entry.Name()); extension == ".yaml" || extension == ".yml" {
			files = append(files, filepath.Join(path+".d", entry.Name()))
		}
	}
	return files, nil
}

func merge(settings []setting, content []byte, flags map[string]flag, strict bool) ([]setting, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return settings, nil
	}
	mapping := document.Content[0]
	if mapping.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("must be a mapping of flags to values")
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := mapping.Content[i].Value
		name := strings.TrimSuffix(key, "+")
		entry, known := flags[name]
		if !known {
			// Servers pass over keys that they don't know, agents die of them. Source: pkg/configfilearg of k3s, ValidFlags
			if strict {
				return nil, fmt.Errorf("flag provided but not defined: -%s", name)
			}
			logs.Warn("Unknown flag --%s found in config.yaml, skipping\n", name)
			continue
		}
		values, err := valuesOf(mapping.Content[i+1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		at := slices.IndexFunc(settings, func(s setting) bool { return s.name == entry.name })
		switch {
		case at < 0:
			settings = append(settings, setting{entry.name, values})
		case strings.HasSuffix(key, "+"):
			settings[at].values = append(settings[at].values, values...)
		default:
			settings[at].values = values
		}
	}
	return settings, nil
}

func valuesOf(node *yaml.Node) ([]string, error) {
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return []string{""}, nil
		}
		return []string{node.Value}, nil
	case yaml.SequenceNode:
		values := []string{}
		for _, item := range node.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("must hold text, numbers or booleans")
			}
			values = append(values, item.Value)
		}
		return values, nil
	}
	return nil, fmt.Errorf("must be a value or a list of values")
}
