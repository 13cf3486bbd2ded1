import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from creativeai.models.efficientnet_lite import load_efficientnet_lite
from creativeai.models.efficientnet_lite_graph import IMAGES, efficientnet_lite_graph, graph_outputs


@pytest.mark.parametrize("number", [0, 1, 2])
def test_graph_gives_what_the_network_gives(number: int) -> None:
    """Odd and even sides: the uneven padding differs between them."""
    network = load_efficientnet_lite(number)
    graph = efficientnet_lite_graph(network)
    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == graph_outputs(network)
    for height, width in ((96, 75), (130, 64)):
        images = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height)) * 2 - 1
        features = network(images)
        expected = [*features, network.pool(features[-1])]
        found = session.run(None, {IMAGES: images.numpy()})
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
