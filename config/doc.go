// Package config turns text into pipeline.Options: a YAML file, environment
// variables, and key=value arguments or flags.
//
//	defaults  <  file  <  ICEBOX_…  <  key=value and flags        the right one wins
//
// One table of keys (see [Keys]) gives each key its name, its field in the options and
// its meaning. The default is that of pipeline.Default; the range of a number and the
// words of a text are those that the field's owner states (pipeline.Ranges and
// pipeline.Choices). Reading, messages, the starter file, the reference and the JSON
// Schema follow from it. A fault of the options names its field, and the table finds
// the key of it (see [KeyOf]), and with it the file and line.
//
//	file, env, arguments ──▶ nodes ──▶ settings ──▶ layers ──▶ pipeline.Options
//	      yaml.v3: types, case, lines   table      viper       Validate
//
// Reading is strict: an unknown or misspelt key, a key given twice, a value of the
// wrong type and a value out of range are faults. A text is never taken for a number,
// nor a number for a text; but the value of a text key is taken as it is where it is an
// argument or a variable. All faults are reported together, each with the file and
// line, the variable or the argument that it came from; all of them are [ErrConfig].
//
// Paths in a file are relative to the file's folder. Paths in the environment and
// in arguments, and the default paths, are relative to the working directory. A path
// that begins with ~/ starts in the home folder. Options hold them absolute. An empty variable counts as not set.
//
// The layers hold whole values, never parts: class weights given in an argument
// replace those of the file. A section, sweep.axes among them, is merged key by
// key.
package config
