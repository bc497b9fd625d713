"""The rows of the matrix: what is loaded, of which repos, and which of its bytes is flipped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`repos`: what a load reads, datasets as `datasets/owner/name`. `weights`: the file of the first repo that is
    flipped, at `flip`, from its end (safetensors has its tensors there) or from its start. `absent`: repos that are
    asked for and that the Hub does not have. `loads`: how many programs the case is, one after the other. `questions`:
    requests of a warm load beyond one for each repo; never more than plain asks. `why`: the reasons.
    """

    name: str
    case: str
    repos: tuple[str, ...]
    weights: str = "model.safetensors"
    flip: int = -9
    absent: tuple[str, ...] = ()
    loads: int = 1
    questions: int = 0
    why: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        return f"tests.ecosystem.cases.{self.case}"


FRESH = "asks in words by a branch: somebody may have pushed since the question before, and plain would see it"
FACTS = "asks what a repo is at a commit: its likes, its gate and its readers change without one"
FOLDERS = (
    "lists folders or LFS files of a commit: the id that git gives a folder, and Xet a file, is not in what is kept"
)

ROWS = [
    Row("transformers", "transformers_model", ("tiny/bert",)),
    Row("sentence-transformers", "sentence_transformers_model", ("tiny/sentences",)),
    Row("setfit", "setfit_model", ("tiny/few-shot",), absent=("nobody/base",), questions=1, why=(FRESH,)),
    Row("peft", "peft_adapter", ("tiny/adapter", "tiny/gpt2"), "adapter_model.safetensors", questions=2, why=(FRESH,)),
    Row(
        "diffusers pipeline",
        "diffusers_pipeline",
        ("tiny/diffusion",),
        "unet/diffusion_pytorch_model.safetensors",
        questions=1,
        why=(FRESH,),
    ),
    Row("diffusers model", "diffusers_model", ("tiny/unet",), "diffusion_pytorch_model.safetensors"),
    Row(
        "diffusers LoRA",
        "diffusers_lora",
        ("tiny/lora", "tiny/diffusion"),
        "pytorch_lora_weights.safetensors",
        questions=1,
        why=(FRESH,),
    ),
    Row("timm", "timm_model", ("tiny/resnet",)),
    Row("open_clip", "open_clip_model", ("tiny/clip", "tiny/bert"), "open_clip_model.safetensors"),
    Row(
        "datasets parquet",
        "datasets_parquet",
        ("datasets/tiny/rows",),
        "data/train-00000-of-00001.parquet",
        40,
        questions=3,
        why=(FACTS, FOLDERS),
    ),
    Row(
        "datasets csv",
        "datasets_csv",
        ("datasets/tiny/lines",),
        "train.csv",
        -3,
        questions=3,
        why=(FRESH, FACTS, FOLDERS),
    ),
    Row("faster-whisper", "faster_whisper_model", ("tiny/whisper",), "model.bin"),
    Row(
        "llama-cpp-python*",
        "sequence_of_llama_cpp",
        ("tiny/gguf",),
        "tiny.Q4_K_M.gguf",
        questions=1,
        why=(FRESH,),
    ),
    Row("vLLM*", "sequence_of_vllm", ("tiny/sharded",), "model-00001-of-00004.safetensors", questions=3, why=(FRESH,)),
    Row("SGLang*", "sequence_of_sglang", ("tiny/sharded",), "model-00001-of-00004.safetensors"),
    Row(
        "TGI*",
        "sequence_of_tgi",
        ("tiny/sharded",),
        "model-00001-of-00004.safetensors",
        loads=2,
    ),
    Row("MLX-LM*", "sequence_of_mlx_lm", ("tiny/sharded",), "model-00001-of-00004.safetensors"),
]
