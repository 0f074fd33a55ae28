//go:build !noazure

package bucket

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

// Azure's own emulator, which ICEBOX_AZURITE names: azurite-blob of the npm package azurite.
func TestAzurite(t *testing.T) {
	program := os.Getenv("ICEBOX_AZURITE")
	if program == "" {
		t.Skip("skipped: ICEBOX_AZURITE names no program")
	}
	host := started(t, program, func(port string) []string {
		return []string{"--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent"}
	})
	// The account and the key that everybody's emulator has.
	const account, key = "devstoreaccount1", "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	vars := map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=" + account + ";AccountKey=" + key + ";BlobEndpoint=http://" + host + "/" + account}
	env := func(name string) string { return vars[name] }
	b := open(t, "azblob://photos/a b", env)
	if _, err := b.Open(t.Context(), "x"); !errors.Is(err, ErrMissing) {
		t.Errorf("of no container: %v", err)
	}
	_, err := b.client.(*azure).in.Create(context.Background(), nil)
	must(t, err)
	tryStore(t, b, true)
	vars["AZURE_STORAGE_CONNECTION_STRING"] = strings.Replace(vars["AZURE_STORAGE_CONNECTION_STRING"], key, "AAAA"+key[4:], 1)
	if _, err := open(t, "azblob://photos", env).Open(t.Context(), "x"); !errors.Is(err, ErrDenied) || strings.Contains(err.Error(), key[4:]) {
		t.Errorf("with another key: %v", err)
	}
	for _, wrong := range []map[string]string{{}, {"AZURE_STORAGE_CONNECTION_STRING": "AccountKey=" + key}, {"AZURE_STORAGE_ACCOUNT": "a", "AZURE_STORAGE_KEY": "?" + key}} {
		_, err := Open("azblob://photos", func(name string) string { return wrong[name] })
		if err == nil || strings.Contains(err.Error(), key) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
