package config

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// synonyms are the last parts of names that other tools use, and that are no key's.
var synonyms = map[string]string{
	"learning_rate": "head.lr", "base_lr": "head.lr", "lr0": "head.lr",
	"wd": "head.weight_decay", "l2": "head.weight_decay", "decay": "head.weight_decay",
	"optim": "head.optimizer", "opt": "head.optimizer", "solver": "head.optimizer",
	"num_epochs": "head.epochs", "max_epochs": "head.epochs", "n_epochs": "head.epochs",
	"bs": "head.batch_size", "batch": "head.batch_size", "train_batch_size": "head.batch_size",
	"scheduler": "head.schedule", "lr_scheduler": "head.schedule", "lr_schedule": "head.schedule",
	"warmup_epochs": "head.warmup", "smoothing": "head.label_smoothing", "class_weight": "head.class_weights",
	"random_state": "head.seed", "random_seed": "head.seed",
	"normalize": "head.input", "normalise": "head.input", "standardize": "head.input",
	"monitor": "head.early_stopping.metric", "classifier": "head", "trainer": "head", "training": "head",
	"num_workers": "extract.workers", "n_jobs": "extract.workers", "jobs": "extract.workers",
	"extraction": "extract", "extractor": "extract", "preprocess": "extract", "max_failures": "extract.max_failure_rate",
	"model": "backbone", "arch": "backbone.name", "architecture": "backbone.name", "network": "backbone.name",
	"checkpoint": "backbone.weights", "pretrained": "backbone.weights",
	"dataset": "data", "train_dir": "data.train", "val_dir": "data.val", "valid": "data.val", "validation": "data.val",
	"test_dir": "data.test", "data_dir": "data.train", "image_root": "data.root", "ignore": "data.exclude", "val_split": "data.split.val",
	"val_fraction": "data.split.val", "val_size": "data.split.val", "test_split": "data.split.test", "test_size": "data.split.test",
	"features": "cache.path", "cache_dir": "cache.path",
	"output_dir": "output.dir", "out_dir": "output.dir", "out": "output.dir", "run_dir": "output.dir", "save_dir": "output.dir",
	"run_name":   "output.name",
	"param_grid": "sweep.axes", "parameters": "sweep.axes", "search": "sweep", "cv": "sweep.folds", "n_trials": "sweep.trials",
}

// unknownKey says that there is no such key, and what may have been meant.
func unknownKey(name string) string {
	section, leaf := splitName(name)
	if leaf == "<<" {
		return "merge keys (<<) are not read: write the keys out"
	}
	said := quote(name) + " is not a known key"
	if near := nearest(name); near != "" {
		return said + didYouMean(near)
	}
	if section == "sweep.axes" {
		return fmt.Sprintf("%s is not an option to sweep: choose from %s", quote(name), strings.Join(children(section), ", "))
	}
	if isSection(section) {
		return fmt.Sprintf("%s; %s has %s", said, section, strings.Join(children(section), ", "))
	}
	return said + "; the sections are " + strings.Join(sections(), ", ")
}

// notASection says that a section was given a value.
func notASection(name string) string {
	if name == "" {
		return "the file must hold sections: " + strings.Join(sections(), ", ")
	}
	return fmt.Sprintf("%s is a section, not a value: set one of its keys, such as %s", name, keysOf(name)[0].Name)
}

func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

// nearest returns the key or section that name may have been meant for, or "".
// It looks for another tool's name first, then for a slip of the keyboard in the section,
// then for the same key in another section, then for a slip anywhere.
func nearest(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	section, leaf := splitName(name)
	if keyNamed(name) != nil || isSection(name) {
		return name
	}
	if meant, ok := synonyms[leaf]; ok {
		_, last := splitName(meant)
		if beside := join(section, last); keyNamed(beside) != nil {
			return beside
		}
		return meant
	}
	if near := closest(leaf, children(section)); near != "" {
		return join(section, near)
	}
	if section != "sweep.axes" {
		for _, k := range table {
			if _, last := splitName(k.Name); last == leaf && !strings.HasPrefix(k.Name, "sweep.axes.") {
				return k.Name
			}
		}
	}
	var names []string
	for _, k := range table {
		names = append(names, k.Name)
	}
	return closest(name, names)
}

// nearestEnv is nearest for the name of a variable.
func nearestEnv(name string) string {
	var names []string
	for _, k := range table {
		names = append(names, k.Env)
	}
	if near := closest(strings.ToUpper(name), names); near != "" {
		return near
	}
	word := strings.ToLower(strings.TrimPrefix(name, envPrefix))
	for _, candidate := range []string{word, strings.Replace(word, "_", ".", 1)} {
		if near := nearest(candidate); keyNamed(near) != nil {
			return envName(near)
		}
	}
	return ""
}

// closest returns the name that is a slip or two away from word, or that word
// begins or shortens; "" if there is none.
func closest(word string, names []string) string {
	if len(word) > 64 {
		return "" // nobody means a key by that, and the comparison takes long
	}
	best, limit := "", 3
	if len(word) < 7 {
		limit = 2
	}
	for _, n := range names {
		if d := levenshtein.ComputeDistance(word, n); d < limit {
			best, limit = n, d
		}
	}
	if best != "" || len(word) < 4 {
		return best
	}
	for _, n := range names {
		if strings.HasPrefix(n, word) || len(n) > 3 && strings.HasPrefix(word, n) {
			return n
		}
	}
	return ""
}

// children returns the names right below a section: keys and sections.
func children(section string) []string {
	if section == "" {
		return sections()
	}
	var names []string
	for _, k := range keysOf(section) {
		name, _, _ := strings.Cut(strings.TrimPrefix(k.Name, section+"."), ".")
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return names
}

// splitName cuts the last part off a name.
func splitName(name string) (section, leaf string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

func join(section, leaf string) string {
	if section == "" {
		return leaf
	}
	return section + "." + leaf
}
