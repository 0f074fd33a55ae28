package web

import (
	"context"
	"errors"

	"icebox/pipeline/serve"
	"icebox/pipeline/serve/oip"
)

// The Open Inference Protocol over gRPC: the models, tensors and answers of inference.go.
var (
	inferenceGRPC = []route{
		rpcRoute("ServerLive", true, func(_ context.Context, _ *server, message []byte) ([]byte, error) {
			return oip.Yes(true), read(oip.ReadNothing(message))
		}),
		rpcRoute("ServerReady", true, func(_ context.Context, _ *server, message []byte) ([]byte, error) {
			return oip.Yes(true), read(oip.ReadNothing(message))
		}),
		rpcRoute("ServerMetadata", true, func(_ context.Context, s *server, message []byte) ([]byte, error) {
			return oip.Server(oipPlatform, s.Program), read(oip.ReadNothing(message))
		}),
		rpcRoute("ModelReady", false, rpcReady),
		rpcRoute("ModelMetadata", false, rpcModel),
		rpcRoute("ModelInfer", false, rpcInfer),
	}
)

func rpcRoute(method string, open bool, answer func(context.Context, *server, []byte) ([]byte, error)) route {
	return route{method: "POST", path: "/inference.GRPCInferenceService/" + method, dialect: rpc, body: call(answer), open: open}
}

// read is the error of reading a message, which is the request's.
func read(err error) error {
	if err != nil {
		return bad("%v", err)
	}
	return nil
}

// rpcReady answers for models that are not there, too: they are not ready.
func rpcReady(_ context.Context, s *server, message []byte) ([]byte, error) {
	name, version, err := oip.ReadModel(message)
	if err != nil {
		return nil, read(err)
	}
	_, err = s.shelf.Find(name, version)
	if errors.Is(err, serve.ErrNoModel) || errors.Is(err, serve.ErrNoVersion) {
		return oip.Yes(false), nil
	}
	return oip.Yes(true), err
}

func rpcModel(_ context.Context, s *server, message []byte) ([]byte, error) {
	name, version, err := oip.ReadModel(message)
	if err != nil {
		return nil, read(err)
	}
	place, err := s.shelf.Find(name, version)
	if err != nil {
		return nil, err
	}
	m := place.Model()
	inputs, outputs := tensorsOf(m)
	about := oip.Metadata{Name: m.Name, Version: m.Version, Platform: oipPlatform, Inputs: rawTensors(inputs), Outputs: rawTensors(outputs)}
	return about.Bytes(), nil
}

func rpcInfer(ctx context.Context, s *server, message []byte) ([]byte, error) {
	q, err := oip.ReadRequest(message)
	if err != nil {
		return nil, read(err)
	}
	if err := oneInput(len(q.Inputs)); err != nil {
		return nil, err
	}
	in := q.Inputs[0]
	answered, err := s.askTensor(ctx, asked{q.Model, q.Version}, &tensor{Name: in.Name, Shape: in.Shape, Datatype: in.Datatype, raw: in.Raw})
	if err != nil {
		return nil, err
	}
	request := oipRequest{Parameters: map[string]any{"binary_data_output": true}}
	for _, name := range q.Outputs {
		request.Outputs = append(request.Outputs, wanted{Name: name})
	}
	outputs, err := request.outputs(answered)
	if err != nil {
		return nil, err
	}
	response := oip.Response{Model: answered.Name, Version: answered.Version, ID: q.ID, Outputs: rawTensors(outputs)}
	return response.Bytes(), nil
}

// rawTensors are tensors as messages have them.
func rawTensors(all []tensor) []oip.Tensor {
	out := make([]oip.Tensor, len(all))
	for i, t := range all {
		out[i] = oip.Tensor{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape, Raw: t.raw}
	}
	return out
}
