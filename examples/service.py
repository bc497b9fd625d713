"""An HTTP service with pre-forked workers; each loads the model for itself, after the fork. Plain FastAPI code.

    python -m ipfs_accelerate_py.hook run gunicorn --chdir examples --worker-class asgi --workers 2 service:app
    curl 'http://127.0.0.1:8000/embed?text=hello'

MODEL names the model.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import torch
from fastapi import FastAPI
from transformers import AutoModel, AutoTokenizer

MODEL = os.environ.get("MODEL", "sentence-transformers/all-MiniLM-L6-v2")
loaded: dict[str, Any] = {}


@asynccontextmanager
async def load(app: FastAPI) -> AsyncIterator[None]:
    loaded["tokenizer"] = AutoTokenizer.from_pretrained(MODEL)
    loaded["model"] = AutoModel.from_pretrained(MODEL).eval()
    yield
    loaded.clear()


app = FastAPI(title="Embeddings", lifespan=load)


@app.get("/health")
async def health() -> dict[str, Any]:
    return {"ready": "model" in loaded, "pid": os.getpid()}


@app.get("/embed")
async def embed(text: str) -> dict[str, Any]:
    tokens = loaded["tokenizer"](text, return_tensors="pt", truncation=True, max_length=64)
    with torch.no_grad():
        states = loaded["model"](**tokens).last_hidden_state
    return {"embedding": states.mean(dim=1)[0].tolist(), "pid": os.getpid()}
