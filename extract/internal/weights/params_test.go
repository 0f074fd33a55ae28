package weights

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParamsAreTorchvisions(t *testing.T) {
	var rows [][2]json.RawMessage
	readJSON(t, "params.json", &rows)
	var want []Param
	for _, row := range rows {
		var p Param
		if err := json.Unmarshal(row[0], &p.Name); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(row[1], &p.Shape); err != nil {
			t.Fatal(err)
		}
		want = append(want, p)
	}
	if d := cmp.Diff(want, Params()); d != "" {
		t.Errorf("(-torchvision +ours)\n%s", d)
	}
}
