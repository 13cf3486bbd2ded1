import onnxruntime as ort
import torch
import torch.nn.functional as F

from creativeai.models.caption_tower_graph import caption_tower_graph
from creativeai.models.conditioning import TextTensors
from creativeai.models.text_image_matcher import CaptionTower


def test_graph_gives_what_the_tower_does() -> None:
    torch.manual_seed(0)
    tower = CaptionTower(text_dim=12, num_words=0, code_dim=16, hidden_dim=32, word_dim=6, dropout=0.3).eval()
    session = ort.InferenceSession(caption_tower_graph(tower).SerializeToString())
    for num_words in (1, 7):
        sentence, words = F.normalize(torch.randn(1, 12)), torch.randn(1, num_words, 12)
        text = TextTensors(sentence, words, torch.ones(1, num_words, dtype=torch.bool))
        with torch.no_grad():
            expected = tower(text), tower.states(text.words, text.mask)
        inputs = {"sentence": sentence.numpy(), "words": words.numpy()}
        for given, ours in zip(session.run(["code", "states"], inputs), expected, strict=True):
            torch.testing.assert_close(torch.from_numpy(given), ours, rtol=1e-4, atol=1e-5)
