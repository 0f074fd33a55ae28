"""Asks a server with the clients of other servers, as their packages come.

    clients.py CLIENT ADDRESS FOLDER

FOLDER holds red.png, green.png and blue.png. The server's first model is called paint, and
tells these colours; that of blue is "<blue>". The program ends with 0 where the client gets
the right answers, and with 77 where it is not installed.
"""
import importlib
import pathlib
import sys

import_failed = 77
labels = {"red": "red", "green": "green", "blue": "<blue>"}
side, dim = 224, 512


def need(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        print(f"{name} is not installed: {e}", file=sys.stderr)
        sys.exit(import_failed)


def same(got, want, what):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")


def fails(call, kind, text, what):
    """The call must raise an error of a kind, with a text in it."""
    try:
        call()
    except kind as e:
        if text not in str(e):
            sys.exit(f"{what}: the error is {e}, without {text!r}")
        return
    sys.exit(f"{what}: there is no error")


def triton(address, images):
    http = need("tritonclient.http")
    np = need("numpy")
    client = http.InferenceServerClient(address.removeprefix("http://"))
    same([client.is_server_live(), client.is_server_ready(), client.is_model_ready("paint")], [True] * 3, "health")
    same(client.is_model_ready("none"), False, "health of no model")
    same(client.get_server_metadata()["name"], "icebox", "metadata of the server")
    about = client.get_model_metadata("paint")
    same([t["name"] for t in about["inputs"]], ["image", "pixels", "features"], "inputs")
    version = about["versions"][0]
    all = list(labels)
    crops = np.zeros((3, side, side, 3), np.uint8)
    features = np.zeros((3, dim), np.float32)
    for i in range(3):
        crops[i, :, :, i] = 255
        features[i, i] = 1
    files = np.array([images[name] for name in all], np.object_)
    for name, values, kind in [("image", files, "BYTES"), ("pixels", crops, "UINT8"), ("features", features, "FP32")]:
        for into in (True, False):
            if name == "image" and not into:
                continue  # the client writes bytes into JSON only where they are UTF-8; see below
            for out in (True, False):
                what = f"{name}, binary in {into} and out {out}"
                tensor = http.InferInput(name, list(values.shape), kind)
                tensor.set_data_from_numpy(values, binary_data=into)
                asked = [http.InferRequestedOutput(o, binary_data=out) for o in ("label", "probabilities")]
                r = client.infer("paint", [tensor], outputs=asked, request_id="7", model_version=version)
                got = [t.decode() if isinstance(t, bytes) else t for t in r.as_numpy("label")]
                same(got, [labels[n] for n in all], what)
                p = r.as_numpy("probabilities")
                same((p.dtype, p.shape), (np.float32, (3, 3)), what)
                same(list(p.argmax(axis=1)), [0, 1, 2], what)
                same(abs(p.sum(axis=1) - 1).max() < 1e-6, True, what)
                same((r.get_response()["id"], r.get_response()["model_version"]), ("7", version), what)
    # Without a list of outputs this client asks for all of them in binary form.
    tensor = http.InferInput("image", [1], "BYTES")
    tensor.set_data_from_numpy(files[:1])
    for how in (None, "gzip", "deflate"):
        r = client.infer("paint", [tensor], request_compression_algorithm=how, response_compression_algorithm=how)
        same(r.as_numpy("label")[0], b"red", f"all outputs, packed by {how}")
    # Images in JSON are in base64, as MLServer's clients write them.
    import base64
    tensor = http.InferInput("image", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([base64.b64encode(images["green"])], np.object_), binary_data=False)
    r = client.infer("paint", [tensor], outputs=[http.InferRequestedOutput("label", binary_data=False)])
    same(list(r.as_numpy("label")), ["green"], "an image in JSON")
    broken = http.InferInput("image", [1], "BYTES")
    broken.set_data_from_numpy(np.array([b"no"], np.object_))
    error = need("tritonclient.utils").InferenceServerException
    fails(lambda: client.infer("paint", [broken]), error, "not an image", "no image")
    fails(lambda: client.infer("none", [tensor]), error, "no such model", "no model")
    client.close()


def tritongrpc(address, images):
    """gRPC gives the very bytes that the REST dialect gives."""
    grpc, http = need("tritonclient.grpc"), need("tritonclient.http")
    np = need("numpy")
    error = need("tritonclient.utils").InferenceServerException
    at = address.removeprefix("http://")
    client, rest = grpc.InferenceServerClient(at), http.InferenceServerClient(at)
    same([client.is_server_live(), client.is_server_ready(), client.is_model_ready("paint")], [True] * 3, "health")
    same([client.is_model_ready("none"), client.is_model_ready("paint", "7")], [False] * 2, "health of no model")
    about, wanted = client.get_server_metadata(), rest.get_server_metadata()
    same([about.name, about.version], [wanted["name"], wanted["version"]], "metadata of the server")
    about, wanted = client.get_model_metadata("paint"), rest.get_model_metadata("paint")
    same([about.name, list(about.versions), about.platform], [wanted[k] for k in ("name", "versions", "platform")], "metadata of a model")
    for part in ("inputs", "outputs"):
        got = [{"name": t.name, "shape": list(t.shape), "datatype": t.datatype} for t in getattr(about, part)]
        same(got, wanted[part], part)
    version = about.versions[0]
    crops = np.random.default_rng(1).integers(0, 256, (3, side, side, 3), np.uint8)
    features = np.random.default_rng(2).normal(size=(3, dim)).astype(np.float32)
    files = np.array([images["red"], b"no", images["blue"]], np.object_)
    outputs = ["label", "probabilities", "logits", "error"]
    for name, values, kind in [("image", files, "BYTES"), ("pixels", crops, "UINT8"), ("features", features, "FP32")]:
        for how in (None, "gzip", "deflate"):
            answers = []
            for module, asked, more in ((grpc, client, {"compression_algorithm": how}), (http, rest, {"request_compression_algorithm": how})):
                tensor = module.InferInput(name, list(values.shape), kind)
                tensor.set_data_from_numpy(values)
                names = [module.InferRequestedOutput(o) for o in outputs]
                answers.append(asked.infer("paint", [tensor], outputs=names, request_id="7", model_version=version, **more))
            over, beside = answers
            same([over.get_response().id, over.get_response().model_version, over.get_response().model_name], ["7", version, "paint"], "the answer")
            for o in outputs:
                a, b = over.as_numpy(o), beside.as_numpy(o)
                same((a.dtype, a.shape, a.tobytes() if a.dtype != object else list(a)), (b.dtype, b.shape, b.tobytes() if b.dtype != object else list(b)),
                     f"{o} of {name}, packed by {how}")
    # Contents in their types, as other clients write them; all outputs where none is named.
    service = need("tritonclient.grpc.service_pb2")
    for kind, name, shape, contents in [
        ("BYTES", "image", [1], {"bytes_contents": [images["green"]]}),
        ("UINT8", "pixels", [1, *crops.shape[1:]], {"uint_contents": crops[0].ravel().tolist()}),
        ("FP32", "features", [1, dim], {"fp32_contents": features[0].tolist()}),
    ]:
        request = service.ModelInferRequest(model_name="paint")
        tensor = request.inputs.add(name=name, datatype=kind, shape=shape)
        for field, values in contents.items():
            getattr(tensor.contents, field).extend(values)
        r = grpc.InferResult(client._client_stub.ModelInfer(request))
        raw = http.InferInput(name, shape, kind)
        raw.set_data_from_numpy({"BYTES": np.array([images["green"]], np.object_), "UINT8": crops[:1], "FP32": features[:1]}[kind])
        beside = rest.infer("paint", [raw])
        same([r.as_numpy("probabilities").tobytes(), list(r.as_numpy("label"))], [beside.as_numpy("probabilities").tobytes(), list(beside.as_numpy("label"))],
             f"{name} in its type")
    broken = grpc.InferInput("image", [1], "BYTES")
    broken.set_data_from_numpy(np.array([b"no"], np.object_))
    for call, code, text in [
        (lambda: client.infer("paint", [broken]), "INVALID_ARGUMENT", "not an image"),
        (lambda: client.infer("none", [broken]), "NOT_FOUND", "no such model"),
        (lambda: client.get_model_metadata("paint", "7"), "NOT_FOUND", "no such version"),
        (lambda: client.get_model_repository_index(), "UNIMPLEMENTED", "no such method"),
    ]:
        fails(call, error, text, code)
        fails(call, error, code, text)
    client.close()
    rest.close()


def huggingface(address, images):
    hub = need("huggingface_hub")
    for url in (address, address + "/models/paint"):
        client = hub.InferenceClient(model=url)
        for name, image in images.items():
            got = client.image_classification(image)
            same(got[0].label, labels[name], f"{name} at {url}")
            same(abs(sum(e.score for e in got) - 1) < 1e-9, True, "the scores")
    got = hub.InferenceClient().image_classification(images["red"], model=address, top_k=1, function_to_apply="none")
    same([e.label for e in got], ["red"], "one label")
    same(got[0].score > 1, True, "a logit")
    errors = need("huggingface_hub.errors")
    fails(lambda: client.image_classification(b"no"), errors.HfHubHTTPError, "not an image", "no image")


def mlflow(address, images):
    server = need("mlflow.pyfunc.scoring_server.client")
    pd, np = need("pandas"), need("numpy")
    import base64
    host, _, port = address.removeprefix("http://").rpartition(":")
    client = server.ScoringServerClient(host, port)
    client.wait_server_ready()
    same(client.get_version(), "icebox test", "the version")
    texts = [base64.b64encode(image).decode() for image in images.values()]
    features = np.eye(3, dim, dtype=np.float32)
    want = [labels[n] for n in images]
    for what, data in {
        "a table": pd.DataFrame({"image": texts}),
        "a list": texts,
        "an array of features": features,
        "a table of features": pd.DataFrame(features),
    }.items():
        r = client.invoke(data)
        same([row["label"] for row in r["predictions"]], want, what)
        frame = r.get_predictions()
        same(list(frame["label"]), want, what + ", as a table")
    client.invoke(texts, params={"top_k": 1})
    fails(lambda: client.invoke(["bm8="] * 0), Exception, "error code 400", "no rows")


def customvision(address, images):
    prediction = need("azure.cognitiveservices.vision.customvision.prediction")
    credentials = need("msrest.authentication").ApiKeyCredentials(in_headers={"Prediction-key": "none"})
    client = prediction.CustomVisionPredictionClient(address, credentials)
    for name, image in images.items():
        for call in (client.classify_image, client.classify_image_with_no_store):
            r = call("b4b1e4a0-0000-4000-8000-000000000000", "paint", image)
            same(r.predictions[0].tag_name, labels[name], name)
            same((r.predictions[0].probability > 0.9, r.created is not None), (True, True), name)
    error = need("azure.cognitiveservices.vision.customvision.prediction.models").CustomVisionErrorException
    fails(lambda: client.classify_image("p", "none", images["red"]), error, "no such model", "no model")


def labelstudio(address, images):
    """Label Studio's requests, as its server writes them, and answers by its own checks."""
    requests = need("requests")
    sdk = need("label_studio_sdk.label_interface")
    value = need("label_studio_sdk.label_interface.objects").PredictionValue
    config = """<View><Header value="What is it?"/><Image name="img" value="$photo" zoom="true"/>
      <Choices name="colour" toName="img" choice="single" showInLine="true"><Choice value="red"/><Choice value="green"/><Choice value="Blue" alias="&lt;blue&gt;"/></Choices></View>"""
    interface = sdk.LabelInterface(config)

    def post(path, body, status=200):
        r = requests.post(f"{address}/{path}", json=body, headers={"User-Agent": "heartex/1.23"}, timeout=30)
        same(r.status_code, status, f"{path}: {r.text}")
        return r.json()

    same(requests.get(address + "/health", timeout=30).json()["status"], "UP", "health")
    version = post("setup", {"project": "3.1700000000", "schema": config, "hostname": "http://localhost:8080", "access_token": "t"})["model_version"]
    same(len(version) > 0, True, "the version")
    names = list(labels)
    tasks = [{"id": i, "data": {"photo": f"/data/local-files/?d={name}.png"}} for i, name in enumerate(names)]
    r = post("predict", {"tasks": tasks, "model_version": version, "project": "3.1700000000", "label_config": config,
                         "params": {"login": None, "password": None, "context": None}})
    same(r["model_version"], version, "the version")
    for name, p in zip(names, r["results"], strict=True):
        same([x["value"]["choices"] for x in p["result"]], [[labels[name]]], name)
        value(**p)
        if name != "blue":  # the checks of this package know no alias
            same(interface.validate_prediction(p, return_errors=True), [], f"the form of {name}")
    same(requests.get(address + "/is_training", params={"project": "3"}, timeout=30).json(), {"is_training": False}, "is_training")
    result = [{"id": "a", "from_name": "colour", "to_name": "img", "type": "choices", "value": {"choices": ["green"]}}]
    annotated = {"action": "ANNOTATION_CREATED", "annotation": {"id": 1, "result": result, "was_cancelled": False}, "task": tasks[0],
                 "project": {"id": 3, "label_config": config}}
    same(post("webhook", annotated, 201)["annotations"], 1, "a webhook")
    # Annotations in bulk, and a training that brings none, as the server of Label Studio writes them.
    bulk = {"action": "ANNOTATIONS_CREATED", "annotation": [{"id": 2 + t["id"], "task": t["id"], "result": result, "was_cancelled": False} for t in tasks],
            "task": tasks, "project": {"id": 3, "label_config": config}}
    same(post("webhook", bulk, 201)["annotations"], 3, "a webhook of several")
    same(post("webhook", {"action": "START_TRAINING", "project": {"id": 3, "label_config": config}}, 201)["job"], "new", "a training")
    same(requests.get(address + "/labelstudio/paint/health", timeout=30).json()["status"], "UP", "health of a model")
    same(post("labelstudio/paint/predict", {"tasks": tasks, "project": "3.1700000000", "label_config": config})["model_version"], version, "a model by its name")
    same(post("train", {"annotations": [dict(t, annotations=[{"result": result, "was_cancelled": False}]) for t in tasks], "project": "3.1700000000",
                        "label_config": config, "params": {"login": None, "password": None}}, 201)["annotations"], 3, "a training")


def main():
    client, address, folder = sys.argv[1:]
    images = {name: (pathlib.Path(folder) / f"{name}.png").read_bytes() for name in labels}
    {f.__name__: f for f in (triton, tritongrpc, huggingface, mlflow, customvision, labelstudio)}[client](address, images)


main()
