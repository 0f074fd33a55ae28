// Package runs keeps run folders: what a program writes about one head, and what is read
// back from it.
//
//	runs/<time>-<name>/
//	    config.yaml       the effective configuration
//	    head.safetensors  the head; a HeadInfo says what its features are
//	    labels.txt        a class a line
//	    metrics.jsonl     a line an epoch
//	    report.json       what package report found out, and more files of its own
//
// A folder can be moved to another machine. Its name is free of colons.
package runs
