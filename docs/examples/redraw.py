"""Pictures made from Python, with a progress bar, an own style loss and a stop.

In a clone: PYTHONPATH=. python docs/examples/redraw.py. Installed: python redraw.py. The cells are those of a notebook.
"""

# %% A picture from two files. Arrays and Pillow's images serve as well.
from tqdm import tqdm

from nst import Cancelled, StyleLoss, make_settings, redraw, write_picture
from nst.places import SAMPLES

settings = make_settings("fast", {"size": 192, "strength": 0.6})

with tqdm(unit="step") as bar:
    image = redraw(
        SAMPLES / "cat.jpg", SAMPLES / "stone.jpg", settings, on_step=lambda step, picture: bar.update() or None
    )
write_picture("cat_stone.png", image)


# %% Stop when the cost is low enough; the picture so far is returned.
def stop_when_good(step, picture):
    if step.costs["total"] < 2:
        raise Cancelled


write_picture("early.png", redraw(SAMPLES / "cat.jpg", SAMPLES / "stone.jpg", settings, on_step=stop_when_good))

# %% A style loss of one's own: the mean of each channel alone.
import tensorflow as tf  # noqa: E402


def channel_means(features, weights=None):
    weights = 1 / len(features) if weights is None else weights
    return tf.reduce_sum(weights * tf.cast(features, tf.float32), axis=0, keepdims=True)


means = StyleLoss(channel_means, cost=lambda ours, target: tf.reduce_mean(tf.square(ours - target)))
write_picture("means.png", redraw(SAMPLES / "cat.jpg", SAMPLES / "stone.jpg", settings, style_loss=means))
