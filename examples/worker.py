"""An ordinary worker: one sentence in, its embedding out. It knows nothing of where the model comes from."""

import hashlib
import sys

import torch
from transformers import AutoModel, AutoTokenizer

MODEL = "sentence-transformers/all-MiniLM-L6-v2"

sentence = sys.argv[1] if len(sys.argv) > 1 else "The same model on every machine."
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModel.from_pretrained(MODEL).eval()

words = tokenizer(sentence, return_tensors="pt")
with torch.no_grad():
    states = model(**words).last_hidden_state
mask = words["attention_mask"].unsqueeze(-1)
mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
embedding = torch.nn.functional.normalize(mean)[0]

print("embedding", " ".join(f"{number:+.6f}" for number in embedding[:4]), "...")
print("sha256", hashlib.sha256(embedding.numpy().tobytes()).hexdigest())
