// Command respell writes FILE back with a member more, through one of Go's libraries.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"
	jsoniter "github.com/json-iterator/go"
	segmentio "github.com/segmentio/encoding/json"
	"github.com/spf13/viper"
	"github.com/tidwall/sjson"
	"github.com/valyala/fastjson"
)

func ready() {
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
}

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

type document struct {
	Version int                           `json:"version"`
	Rate    float32                       `json:"rate"`
	Price   float32                       `json:"price"`
	Ratio   float32                       `json:"ratio"`
	Owner   int64                         `json:"owner"`
	Models  map[string]map[string]float32 `json:"models"`
	Samples []float32                     `json:"samples"`
	Created time.Time                     `json:"createdAt"`
	Added   int                           `json:"added,omitempty"`
}

func main() {
	file := os.Args[1]
	text, err := os.ReadFile(file)
	try(err)
	var v map[string]any
	var out []byte
	switch os.Args[2] {
	case "map":
		try(json.Unmarshal(text, &v))
		ready()
		v["added"] = 1
		out, err = json.MarshalIndent(v, "", "  ")
	case "numbers":
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		try(d.Decode(&v))
		ready()
		v["added"] = 1
		out, err = json.Marshal(v)
	case "struct":
		var s document
		try(json.Unmarshal(text, &s))
		ready()
		s.Added = 1
		out, err = json.MarshalIndent(s, "", "  ")
	case "float32":
		out, err = asFloat32(text)
	case "jsoniter":
		try(jsoniter.ConfigFastest.Unmarshal(text, &v))
		ready()
		v["added"] = 1
		out, err = jsoniter.ConfigFastest.Marshal(v)
	case "goccy":
		try(goccy.Unmarshal(text, &v))
		ready()
		v["added"] = 1
		out, err = goccy.Marshal(v)
	case "segmentio":
		try(segmentio.Unmarshal(text, &v))
		ready()
		v["added"] = 1
		out, err = segmentio.Marshal(v)
	case "sonic":
		try(sonic.Unmarshal(text, &v))
		ready()
		v["added"] = 1
		out, err = sonic.Marshal(v)
	case "sjson":
		ready()
		out, err = sjson.SetBytes(text, "added", 1)
	case "fastjson":
		var p fastjson.Parser
		x, e := p.ParseBytes(text)
		try(e)
		ready()
		x.Set("added", fastjson.MustParse("1"))
		out = x.MarshalTo(nil)
	case "viper":
		viper.SetConfigFile(file)
		try(viper.ReadInConfig())
		ready()
		viper.Set("added", 1)
		try(viper.WriteConfig())
		return
	}
	try(err)
	try(os.WriteFile(file, out, 0o666))
}

// asFloat32 is a program whose types hold all fractions as float32 and all else as
// it is.
func asFloat32(text []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v map[string]any
	try(d.Decode(&v))
	ready()
	v["added"] = 1
	return json.Marshal(narrowed(v))
}

func narrowed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = narrowed(x)
		}
	case []any:
		for i, x := range v {
			v[i] = narrowed(x)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return float32(f)
	}
	return v
}
