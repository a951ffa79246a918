"""Joining, splitting, gathering, scattering: elements move, none is computed."""
from row import composite, structured

structured("cat(tensors: tensors, dim: dim = 0)", "Tensors joined along a dimension.", entry="cat_entry", overlap="NONE",
           backward="cat_backward", method=False, aliases=("concat", "concatenate"))
structured("stack(tensors: tensors, dim: dim = 0)", "Tensors joined along a new dimension.", entry="stack_entry", overlap="NONE",
           backward="stack_backward", method=False)
composite("hstack(tensors: tensors)", "Joined side by side.", method=False)
composite("vstack(tensors: tensors)", "Joined one above the other.", method=False, aliases=("row_stack",))
composite("dstack(tensors: tensors)", "Joined along the third dimension.", method=False)
composite("column_stack(tensors: tensors)", "Vectors as the columns of a matrix.", method=False)
composite("atleast_1d(tensors: shape = ())", "With at least one dimension.", method=False, out="NONE")
composite("atleast_2d(tensors: shape = ())", "With at least two dimensions.", method=False, out="NONE")
composite("atleast_3d(tensors: shape = ())", "With at least three dimensions.", method=False, out="NONE")

structured("flip(input, dims: shape)", "Dimensions in reverse order.", grad="flip(grad, dims)", out="NONE")
composite("fliplr(input)", "Columns in reverse order.", out="NONE")
composite("flipud(input)", "Rows in reverse order.", out="NONE")
structured("roll(input, shifts: any, dims: any = None)", "Elements moved along dimensions, around the end.",
           grad="roll(grad, negated(shifts), dims)", out="NONE")
composite("rot90(input, k: int = 1, dims: any = (0, 1))", "Turned by k quarter turns.", out="NONE")
structured("repeat(input, repeats: shape)", "Copies side by side along each dimension.", grad="repeat_grad(grad, input.shape, repeats)",
           function=False)
composite("tile(input, dims: shape)", "As repeat, with missing leading sizes taken as 1.", out="NONE")
composite("repeat_interleave(input, repeats: any = None, dim: any = None, *, output_size: any = None)",
          "Each element repeated in place.", out="NONE")
