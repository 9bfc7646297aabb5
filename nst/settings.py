"""Settings: every choice of a picture, with its default, limits and help, written once.

To add a setting, add a field. Flags, keys of files and docs/options.md follow from the fields.
"""

from dataclasses import dataclass, fields

from nst.errors import UserError
from nst.layers import SUBJECT_LAYERS, SUBJECT_MAP_LAYER, LayerWeights
from nst.options import check_setting, option

ORIGINAL_SIZE = "original"
AUTO_TILE, NO_TILES = "auto", "off"
STYLE_LAYERS: LayerWeights = (("conv1_1", 0.2), ("conv2_1", 0.4), ("conv3_1", 1.0), ("conv3_4", 1.0), ("conv4_1", 1.0))


@dataclass(frozen=True)
class Settings:
    """The settings of a picture. Immutable; raises UserError for a value outside its limits."""

    strength: float = option(
        0.5,
        "float",
        "look",
        "strength of the style, from 0, the photo, to 1, the painting; more lowers alpha and raises beta and gamma",
        limits=(0, 1),
    )
    content_weight: float = option(
        0.08, "float", "look", "alpha, the weight of the content; a larger one keeps the photo clearer", metavar="ALPHA"
    )
    style_weight: float = option(
        1.0, "float", "look", "beta, the weight of the style; a larger one shows more of the painting", metavar="BETA"
    )
    style_layers: LayerWeights = option(
        STYLE_LAYERS,
        "layers",
        "look",
        "layers of the network at which the style is compared, each with its weight or 1, such as conv1_1:0.5 relu4_1 "
        "block5_conv1:2; --list-layers names them all",
    )
    content_layers: LayerWeights = option(
        (("conv4_2", 1.0),),
        "layers",
        "look",
        "layers of the network at which the content is compared, written in the same way",
    )
    match_weight: float = option(
        8.0,
        "float",
        "look",
        "gamma, the weight of the match: each place is drawn to that place of the style which is most like it",
        metavar="GAMMA",
    )
    match_layers: LayerWeights = option(
        STYLE_LAYERS, "layers", "look", "layers of the network at which places are matched, written in the same way"
    )
    rotations: int = option(
        1, "int", "look", "number of quarter turns in which places of the style are matched", limits=(1, 4)
    )
    color_weight: float = option(
        2.0,
        "float",
        "look",
        "kappa, the weight of the structure of colours: areas of one colour in the photo stay of one colour",
        metavar="KAPPA",
    )
    compose: float = option(
        0.95,
        "float",
        "look",
        "how freely the style fills what is plain in the photo, such as a sky; 0 keeps to the photo everywhere",
        limits=(0, 1),
    )
    compose_layers: LayerWeights = option(
        (("conv5_1", 0.5),),
        "layers",
        "look",
        "more style layers for what is plain in the photo, at sizes up to 300 px: they give large forms; or 'none'",
        words=("none",),
    )
    subject_weight: float = option(
        1.0, "float", "look", "weight of the photo's subject, such as a face, which is kept clearer than the rest"
    )
    style_loss: str = option(
        "gram",
        "text",
        "look",
        "the part of a layer's activations that is compared as style: gram, their Gram matrix; covariance, their mean "
        "and covariance; moments, the mean and standard deviation of each channel",
        choices=("gram", "covariance", "moments"),
    )
    tv_weight: float = option(
        0.0,
        "float",
        "look",
        "weight of the total variation, the differences between neighbouring pixels; more is smoother",
    )
    balance: bool = option(
        True,
        "bool",
        "look",
        "divide the cost at each layer by the cost of a picture with nothing in it, so that weights are comparable",
    )
    style_weights: tuple[float, ...] = option(
        (), "numbers", "styles", "weight of each style in a blend", unset="equal", metavar="WEIGHT"
    )
    style_scale: tuple[float, ...] = option(
        (1.0,),
        "numbers",
        "styles",
        "size of each style relative to the result, or one number for all styles; a larger style has larger strokes",
        limits=(0.05, 20),
        metavar="X",
    )
    style_mask: tuple[str, ...] = option(
        (),
        "paths",
        "styles",
        "for each style, a picture over the photo that is white where the style goes; for a clip, a clip too",
    )
    source_mask: tuple[str, ...] = option(
        (), "paths", "styles", "for each style, a picture that is laid over it and is white where it is taken from"
    )
    content_mask: str | None = option(
        None,
        "text",
        "styles",
        "a picture that is white where the photo may change; for a clip, a clip too",
        metavar="PATH",
    )
    preserve_color: str = option(
        "none",
        "text",
        "styles",
        "keep the photo's colours: luminance changes only the photo's lightness; statistics and histogram first give "
        "the style the photo's colours, by mean and covariance or by their histograms",
        choices=("none", "luminance", "statistics", "histogram"),
    )
    size: int | str = option(
        512,
        "px",
        "size",
        "long side of the result in px, or 'original' for the photo's own size",
        limits=(16, 1_000_000),
        words=(ORIGINAL_SIZE,),
    )
    smallest_scale: int = option(
        128,
        "int",
        "size",
        "long side in px of the picture at the start; it then about doubles until the result's size is reached",
        limits=(16, 20000),
    )
    largest_scale: int = option(
        0,
        "int",
        "size",
        "long side in px up to which the picture is painted; a larger result is enlarged from there, and "
        "a clip is made at that size; 0 for the result's size",
        limits=(0, 1_000_000),
    )
    init: str = option(
        "content", "text", "start", "first picture: content, noise, style, or the PATH of a picture", metavar="WHAT"
    )
    match_colors: bool = option(
        True, "bool", "start", "give the first picture the mean and the covariance of the style's colours"
    )
    init_noise: float = option(0.0, "float", "start", "fraction of noise in the first picture", limits=(0, 1))
    seed: int = option(0, "int", "start", "seed of the noise; another seed gives another noise", limits=(0, 2**32 - 1))
    photo_detail: float = option(
        0.1,
        "float",
        "start",
        "amount of the photo's own fine detail, 0 to 1, that is put in each time that the picture grows",
        limits=(0, 1),
    )
    optimizer: str = option(
        "adam",
        "text",
        "optimisation",
        "method that changes the picture: adam, or lbfgs (SciPy's L-BFGS-B)",
        choices=("adam", "lbfgs"),
    )
    steps: int = option(
        10,
        "int",
        "optimisation",
        "number of steps at the result's size, or at 512 px if the result is larger",
        limits=(1, 1_000_000),
    )
    coarse_steps: float = option(
        1.5, "float", "optimisation", "factor on the number of steps for each halving of the size", limits=(0.1, 100)
    )
    fine_steps: float = option(
        0.7,
        "float",
        "optimisation",
        "factor on the number of steps for each doubling of the size beyond 512 px",
        limits=(0.1, 100),
    )
    max_time: float = option(
        0.0,
        "time",
        "optimisation",
        "longest time, such as 90s, 10m or 1h; each size then gets fewer steps, but at least one; 0 for no limit",
    )
    until_converged: bool = option(
        False, "bool", "optimisation", "go on to the next size once each step lowers the cost by less than a thousandth"
    )
    learning_rate: float = option(
        9.0, "float", "optimisation", "size of Adam's first steps, on a scale of 0 to 255", limits=(1e-6, 255)
    )
    decay: str = option(
        "cosine",
        "text",
        "optimisation",
        "fall of the learning rate at each size: cosine, to 0 along a cosine; none, no fall",
        choices=("cosine", "none"),
    )
    beta1: float = option(
        0.75, "float", "optimisation", "decay rate of Adam's mean of the gradients", limits=(0, 0.9999)
    )
    beta2: float = option(
        0.8, "float", "optimisation", "decay rate of Adam's mean of the squared gradients", limits=(0, 0.999999)
    )
    average: float = option(
        0.25,
        "float",
        "optimisation",
        "fraction of the steps at the end of each size whose pictures are averaged, which leaves less grain",
        limits=(0, 1),
    )
    basis: str = option(
        "bands",
        "text",
        "optimisation",
        "the numbers that Adam changes: pixels, or bands of coarse to fine detail",
        choices=("bands", "pixels"),
    )
    weights: str | None = option(
        None,
        "text",
        "network",
        "weights of the network VGG19: a PATH to a .npz, .mat or .h5 file, or 'imagenet' to download those of Keras",
        metavar="WHERE",
        unset="embedded file",
    )
    pooling: str = option(
        "max",
        "text",
        "network",
        "how VGG19 halves a picture: max, as it was trained; avg, the average, as in Gatys et al.",
        choices=("max", "avg"),
    )
    precision: str = option(
        "auto",
        "text",
        "network",
        "type of the numbers in convolutions; auto takes the fastest type of the processor or GPU; float16 is for GPUs",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    threads: int = option(
        0,
        "int",
        "network",
        "number of processor threads; 0 lets TensorFlow choose",
        limits=(0, 1024),
        changes_pixels=False,
        same_for_batch=True,
    )
    max_memory: float = option(
        0.0,
        "memory",
        "network",
        "most memory that a run may use, on a GPU that of the GPU, such as 800MB or 4GB; pictures that need more are "
        "computed in tiles; 0 for most of the free memory",
        changes_pixels=False,
    )
    tile: int | str = option(
        AUTO_TILE,
        "px",
        "network",
        "side in px of the tiles in which larger pictures are computed, with the same result; 'auto' for tiles only if "
        "the memory is short, 'off' for no tiles",
        limits=(64, 20000),
        words=(AUTO_TILE, NO_TILES),
        changes_pixels=False,
    )
    bit_depth: int = option(
        8,
        "int",
        "output",
        "bits per colour channel of the result; 16 only for .png and .tif",
        limits=(8, 16),
        choices=(8, 16),
    )
    snapshot_every: int = option(
        25,
        "int",
        "output",
        "number of steps between snapshots, pictures of the work so far in the run's folder; 0 for none",
        limits=(0, 1_000_000),
        changes_pixels=False,
    )
    checkpoint_every: float = option(
        30.0,
        "float",
        "output",
        "seconds between checkpoints, from which --resume continues an unfinished run; 0 for none",
        changes_pixels=False,
    )

    steadiness: float = option(
        30.0, "float", "clips", "weight of the steadiness: how much of a frame stays as it was in the frame before"
    )
    frame_steps: int = option(
        3, "int", "clips", "number of steps for each frame of a clip but the first of a scene", limits=(1, 10_000)
    )

    start: str | None = option(
        None, "text", "clips", "where a clip begins, such as 12.5, 1:30 or 300f, the number of a frame", metavar="TIME"
    )
    end: str | None = option(None, "text", "clips", "where a clip ends, in the same way", metavar="TIME")
    fps: float = option(
        0.0, "float", "clips", "frames a second of the result; 0 for those of the clip", limits=(0, 1000)
    )
    codec: str | None = option(
        None,
        "text",
        "clips",
        "codec of a video; by the suffix of the result where none is given",
        metavar="h264|h265|av1|vp9|prores",
        unset="h264",
        changes_pixels=False,
    )
    video_quality: int = option(
        16, "int", "clips", "quality of a video as CRF: less is better and larger", limits=(0, 63), changes_pixels=False
    )
    audio: bool = option(True, "bool", "clips", "keep the sound of a clip", changes_pixels=False)
    keep_frames: bool = option(
        False, "bool", "clips", "keep the frames of a clip in the folder of the run", changes_pixels=False
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            check_setting(item, getattr(self, item.name))
        if not any(self.cost_weights):
            raise UserError("--content-weight, --style-weight, --match-weight and --color-weight: are all 0; raise one")
        if self.style_weights and not any(self.style_weights):
            raise UserError("--style-weights: are all 0; raise one of them")

    @property
    def cost_weights(self) -> tuple[float, float, float, float]:
        """Return alpha, beta, gamma and kappa. All but kappa go by `strength`: they are as given at 0.5."""
        content, style = (2 * (1 - self.strength)) ** 2, (2 * self.strength) ** 2
        return self.content_weight * content, self.style_weight * style, self.match_weight * style, self.color_weight

    @property
    def network_layers(self) -> frozenset[str]:
        """Return the layers of the network that the costs and the maps of the photo need."""
        layers = self.content_layers + self.style_layers
        layers += self.match_layers if self.match_weight else ()
        layers += self.compose_layers if self.compose else ()
        layers += (*SUBJECT_LAYERS, (SUBJECT_MAP_LAYER, 1.0)) if self.subject_weight else ()
        return frozenset(name for name, _ in layers)

    @property
    def departure(self) -> float:
        """Return a factor, 0 to 1, on how far the first picture and Adam's steps depart from the photo.

        The factor is below 1 where `strength` is below 0.5. Weights alone cannot do this: Adam moves every number by
        about the same amount, however little there is to gain.
        """
        return min(1.0, 2 * self.strength)
