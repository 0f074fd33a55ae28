//go:build noazure

package bucket

import "fmt"

func azureClient(string, func(string) string) (client, error) {
	return nil, fmt.Errorf("%w: this icebox was built without Azure's client", ErrAddress)
}
