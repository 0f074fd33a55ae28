package config

import "github.com/spf13/viper"

// layers are settings by where they come from, the weakest first.
type layers struct{ file, env, overrides []setting }

// resolve returns the setting that holds for each key, in the order of the table. A
// setting is opaque to viper, which therefore cannot change its type or the case of
// a map's keys; and the delimiter is one that no key has, so that a key is not split
// at its dots.
func (l layers) resolve() []setting {
	v := viper.NewWithOptions(viper.KeyDelimiter("\x00"))
	for _, level := range [][]setting{l.file, l.env} {
		values := map[string]any{}
		for _, s := range level {
			values[s.key.Name] = s
		}
		if err := v.MergeConfigMap(values); err != nil {
			panic(err) // viper documents an error, but returns none
		}
	}
	for _, s := range l.overrides {
		v.Set(s.key.Name, s)
	}
	var held []setting
	for _, k := range table {
		if s, ok := v.Get(k.Name).(setting); ok {
			held = append(held, s)
		}
	}
	return held
}
