package main

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"icebox/config"
	"icebox/extract"
)

func (p *process) completionCommand() *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"bash":       bashCompletion,
		"zsh":        (*cobra.Command).GenZshCompletion,
		"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
	}
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a script for the Tab key of your shell",
		Long: `completion prints a script that makes the Tab key know icebox: its commands and
flags, the keys of the configuration and their values (head.optimizer=), and the
folders of your runs.

  bash         source <(icebox completion bash)
               in ~/.bashrc; needs the package bash-completion
  zsh          source <(icebox completion zsh)
               in ~/.zshrc, after compinit
  fish         icebox completion fish | source
               in ~/.config/fish/config.fish
  powershell   icebox completion powershell | Out-String | Invoke-Expression
               in $PROFILE`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE:      func(cmd *cobra.Command, args []string) error { return shells[args[0]](cmd.Root(), p.stdout) },
	}
}

// bashCompletion is cobra's, and what bash needs to complete key=value: it takes "="
// for the end of a word, so that only what follows may be in its list.
func bashCompletion(root *cobra.Command, w io.Writer) error {
	if err := root.GenBashCompletionV2(w, true); err != nil {
		return err
	}
	_, err := io.WriteString(w, `
__icebox_start()
{
    __start_icebox "$@"
    local line="${COMP_LINE:0:COMP_POINT}"
    local word="${line##* }"
    if [[ $word == [!-]*=* && $COMP_WORDBREAKS == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%%=*}="}")
    fi
}
complete -o default -o nosort -F __icebox_start icebox 2>/dev/null || complete -o default -F __icebox_start icebox
`)
	return err
}

// completeWords tells the shells' Tab key what may stand where, in root and below.
func (p *process) completeWords(root *cobra.Command) {
	if strings.Contains(root.Use, "key=value") {
		root.ValidArgsFunction = completeKey
	}
	root.Flags().VisitAll(func(f *pflag.Flag) {
		if complete := p.flagValues()[f.Name]; complete != nil {
			_ = root.RegisterFlagCompletionFunc(f.Name, complete) // it has that flag
		}
	})
	for _, cmd := range root.Commands() {
		p.completeWords(cmd)
	}
}

// flagValues completes what follows a flag, by the flag's name. After other flags the
// shell offers files.
func (p *process) flagValues() map[string]cobra.CompletionFunc {
	folders := cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	return map[string]cobra.CompletionFunc{
		"run":      p.runFolders("head.safetensors"),
		"resume":   p.runFolders("sweep.jsonl"),
		"features": folders,
		"dir":      folders,
		"config":   cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
		"weights":  cobra.FixedCompletions([]string{"auto", extract.Random}, cobra.ShellCompDirectiveDefault),
		"isa":      cobra.FixedCompletions(keyNamed("backbone.isa").Values, cobra.ShellCompDirectiveNoFileComp),
		"shuffle":  cobra.FixedCompletions(keyNamed("head.shuffle").Values, cobra.ShellCompDirectiveNoFileComp),
	}
}

// keyNamed returns the key of that name, or one that says nothing.
func keyNamed(name string) config.Key {
	keys := config.Keys()
	if i := slices.IndexFunc(keys, func(k config.Key) bool { return k.Name == name }); i >= 0 {
		return keys[i]
	}
	return config.Key{}
}

// completeKey completes an argument key=value: the key, then its values.
func completeKey(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	name, _, ok := strings.Cut(word, "=")
	if !ok {
		var found []string
		for _, k := range config.Keys() {
			if strings.HasPrefix(k.Name, word) {
				found = append(found, cobra.CompletionWithDesc(k.Name+"=", k.Help))
			}
		}
		return found, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	k := keyNamed(name)
	var found []string
	for _, v := range k.Values {
		found = append(found, name+"="+v)
	}
	if strings.HasPrefix(k.Type, "path") {
		return found, cobra.ShellCompDirectiveDefault
	}
	if found == nil && k.Default != "" {
		found = []string{cobra.CompletionWithDesc(name+"="+k.Default, "the default: "+k.Type)}
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// runFolders completes the folders of runs that hold a file of that name, newest
// first.
func (p *process) runFolders(file string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		type folder struct {
			name string
			fi   os.FileInfo
		}
		var found []folder
		files, _ := filepath.Glob(filepath.Join(p.outputDir(), "*", file))
		for _, f := range files {
			if fi, err := os.Stat(f); err == nil {
				found = append(found, folder{p.short(filepath.Dir(f)), fi})
			}
		}
		if found == nil {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		slices.SortStableFunc(found, func(a, b folder) int {
			return cmp.Or(b.fi.ModTime().Compare(a.fi.ModTime()), strings.Compare(b.name, a.name))
		})
		var names []string
		for _, f := range found {
			names = append(names, f.name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// outputDir is where runs lie: what the configuration says, or its default where
// that cannot be read.
func (p *process) outputDir() string {
	src := config.Source{Environ: p.environ, Dir: p.dir}
	if here := filepath.Join(p.dir, configName); isFile(here) {
		src.File = here
	}
	cfg, err := config.Load(src)
	if err != nil {
		return filepath.Join(p.dir, keyNamed("output.dir").Default)
	}
	return cfg.Options.Output.Dir
}
