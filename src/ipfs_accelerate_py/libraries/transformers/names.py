"""transformers: the names of its modules, classes and functions, as data, for the lines 4.57 and 5.

A name that an installed version does not have is passed over.
"""

from __future__ import annotations

NAME = "transformers"
TESTED = ((4, 57), (6, 0))  # from, below

AUTO = "transformers.models.auto."

# module -> classes whose `from_pretrained` concrete classes inherit
BASE_CLASSES = {
    "transformers.modeling_utils": ("PreTrainedModel",),
    "transformers.configuration_utils": ("PreTrainedConfig", "PretrainedConfig"),
    "transformers.tokenization_utils_base": ("PreTrainedTokenizerBase",),
    "transformers.processing_utils": ("ProcessorMixin",),
    "transformers.feature_extraction_utils": ("FeatureExtractionMixin",),
    "transformers.image_processing_base": ("ImageProcessingMixin",),
    "transformers.video_processing_utils": ("VideoProcessorMixin", "BaseVideoProcessor"),
    "transformers.generation.configuration_utils": ("GenerationConfig",),
}

# The submodule through which transformers reaches the Hub, and its functions: by what serves them.
HUB = "transformers.utils.hub"
FILE_FUNCTIONS = ("cached_files", "hf_hub_download", "snapshot_download")
NAME_FUNCTIONS = ("list_repo_templates", "has_file", "resolve_revision")
CLIENT_FUNCTION = "hf_api"

# A few places ask past that submodule, 4.57 the Hub and both lines the cache: module -> functions of huggingface_hub's
STRAY_FUNCTIONS = {
    "transformers.dynamic_module_utils": ("try_to_load_from_cache",),
    "transformers.tokenization_utils_base": ("list_repo_files",),
    "transformers.pipelines": ("model_info",),
}
# ... and 4.57 inside these methods, by an import and through peft
STRAYS_BELOW = (5, 0)
MISTRAL_REGEX = ("transformers.tokenization_utils_base", "PreTrainedTokenizerBase", "_patch_mistral_regex")
PEFT_ADAPTER = ("transformers.integrations.peft", "PeftAdapterMixin", "load_adapter")
