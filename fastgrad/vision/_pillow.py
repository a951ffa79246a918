"""Pillow, imported when an image is first needed."""


def pillow(user):
    """The modules Image and ImageOps of Pillow.

    Args:
        user: the function that needs them, for the message.
    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ImportError(f"{user}: needs Pillow: pip install pillow") from error
    return Image, ImageOps


def is_image(value):
    """True for a PIL image. Pillow is not imported to find out: without it there is none."""
    import sys

    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)
